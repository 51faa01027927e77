// Values into statements and out of rows, in column order. Unsigned 64-bit numbers go through a bit-cast, because
// SQLite has only signed ones; an optional is a NULL; enumerations are their names.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/system_text.h"
#include "core/run/finding.h"
#include "core/run/verdict.h"

namespace writecanary::storage {

// Binds the parameters of a statement from the first on.
class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) {}

  Binder& operator<<(std::int64_t value) {
    statement_.bind(next_++, value);
    return *this;
  }
  Binder& operator<<(std::uint64_t value) { return *this << std::bit_cast<std::int64_t>(value); }
  Binder& operator<<(double value) {
    statement_.bind(next_++, value);
    return *this;
  }
  // SQLite takes any bytes for text, and gives them to whoever asks.
  Binder& operator<<(const std::string& value) {
    statement_.bind(next_++, valid_utf8(value));
    return *this;
  }
  Binder& operator<<(const char* value) { return *this << std::string(value); }
  template <std::same_as<bool> T>
  Binder& operator<<(T value) {
    return *this << std::int64_t{value};
  }
  template <typename T>
  requires std::same_as<T, Verdict> || std::same_as<T, RunState> || std::same_as<T, FindingKind> Binder& operator<<(
      T value) {
    return *this << std::string(to_string(value));
  }
  template <typename T>
  Binder& operator<<(const std::optional<T>& value) {
    if (value) return *this << *value;
    statement_.bind(next_++);
    return *this;
  }

 private:
  SQLite::Statement& statement_;
  int next_ = 1;
};

// Throws StorageError: the text is no name of that enumeration.
void parse_name(const std::string& text, Verdict& value);
void parse_name(const std::string& text, RunState& value);
void parse_name(const std::string& text, FindingKind& value);

// Reads the columns of the current row from the first on. A NULL leaves text empty and numbers zero.
class RowReader {
 public:
  explicit RowReader(const SQLite::Statement& statement) : statement_(statement) {}

  RowReader& operator>>(std::int64_t& value) {
    value = statement_.getColumn(next_++).getInt64();
    return *this;
  }
  RowReader& operator>>(std::uint64_t& value) {
    value = std::bit_cast<std::uint64_t>(statement_.getColumn(next_++).getInt64());
    return *this;
  }
  RowReader& operator>>(double& value) {
    value = statement_.getColumn(next_++).getDouble();
    return *this;
  }
  RowReader& operator>>(bool& value) {
    value = statement_.getColumn(next_++).getInt() != 0;
    return *this;
  }
  RowReader& operator>>(std::string& value) {
    value = statement_.isColumnNull(next_) ? std::string() : statement_.getColumn(next_).getString();
    ++next_;
    return *this;
  }
  template <typename T>
  requires std::same_as<T, Verdict> || std::same_as<T, RunState> || std::same_as<T, FindingKind> RowReader& operator>>(
      T& value) {
    parse_name(statement_.getColumn(next_++).getString(), value);
    return *this;
  }
  template <typename T>
  RowReader& operator>>(std::optional<T>& value) {
    if (statement_.isColumnNull(next_)) {
      value.reset();
      ++next_;
      return *this;
    }
    return *this >> value.emplace();
  }

 private:
  const SQLite::Statement& statement_;
  int next_ = 0;
};

}  // namespace writecanary::storage
