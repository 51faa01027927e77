// The boundary between SQLite's exceptions and ours: every public method of Store and Reader runs in guarded().
#pragma once

#include <SQLiteCpp/Exception.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "core/run/protocol.h"

namespace writecanary::storage {

// `finish run 12: /var/lib/writecanary/results.db: database or disk is full (SQLite code 13). Free space on ...`
[[noreturn]] void throw_storage_error(std::string_view tried, const std::string& path, const SQLite::Exception& error);
// A JSON column that is not JSON, or not the JSON that it should be.
[[noreturn]] void throw_document_error(std::string_view tried, const std::string& path, const std::exception& error);

template <typename Body>
auto guarded(std::string_view tried, const std::string& path, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const SQLite::Exception& error) {
    throw_storage_error(tried, path, error);
  } catch (const nlohmann::json::exception& error) {
    throw_document_error(tried, path, error);
  } catch (const ProtocolError& error) {
    throw_document_error(tried, path, error);
  }
}

}  // namespace writecanary::storage
