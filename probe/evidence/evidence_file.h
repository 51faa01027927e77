// What a damaged file shows: what stands where, the bytes around each boundary, and where on the device it lies.
#pragma once

#include <nlohmann/json.hpp>

#include "probe/pattern/file_log.h"

namespace writecanary::probe {

struct ContentParts {
  nlohmann::json segments;    // {"items": [...], "total": n}
  nlohmann::json boundaries;  // the same: hex around each place where one segment ends and the next begins
};

// Scans the first `size_bytes` of the file again, as the verifier did. Of very many segments only the first are listed;
// "total" counts all. Expected bytes at a boundary are how the content before it would go on. Throws SystemError.
ContentParts content_parts(int fd, const FileLog& log, std::uint64_t size_bytes);

// The file's extents as FS_IOC_FIEMAP gives them, without writing anything back first. Throws SystemError where the
// filesystem cannot say.
nlohmann::json extents_part(int fd);

// The log of writes as JSON, and back. Throws ProtocolError that names the field.
nlohmann::json log_part(const FileLog& log);
FileLog parse_log_part(const nlohmann::json& part);

}  // namespace writecanary::probe
