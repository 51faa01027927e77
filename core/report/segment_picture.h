// What stands where around a finding, as a small picture in text for mail.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace writecanary {

// `segments` is the list that evidence holds (probe/evidence/evidence_file.h). Shows those that the stretch [offset,
// offset + length) touches and one on either side; of very many the first and the last. A letter stands for each
// writer, other signs for what is no content of this file. Empty when nothing is listed there.
std::string segment_picture(const nlohmann::json& segments, std::uint64_t offset_bytes, std::uint64_t length_bytes);

}  // namespace writecanary
