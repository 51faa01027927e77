// One value of the configuration together with the way in which TOML writes it.
//
// A size and a count are the same integer to the daemon and different texts to an operator; the types here keep them
// apart, so that whatever reads, prints, checks or explains a value needs no list of keys. What the keys are is
// daemon/config/config_keys.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace writecanary::daemon {

// Free space that a run must leave: so many bytes, or a share of the filesystem.
struct MinFree {
  std::uint64_t bytes = 0;
  double percent = 0;
};

// Each points into a configuration, which must outlive it.
struct Text {
  std::string* value;
};
// Bytes, which TOML has as text (core/base/system_text.h).
struct Path {
  std::string* value;
};
struct Texts {
  std::vector<std::string>* value;
};
struct Flag {
  bool* value;
};
struct Count {
  std::uint64_t* value;
};
struct Number {
  double* value;
};
struct Percent {
  double* value;
};
struct Size {
  std::uint64_t* value;
};
struct Duration {
  std::chrono::milliseconds* value;
};
struct Space {
  MinFree* value;
};
using Value = std::variant<Text, Path, Texts, Flag, Count, Number, Percent, Size, Duration, Space>;

// Inclusive, in bytes, milliseconds, percent or whatever else the value counts.
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

  bool is_limit() const { return least > 0 || most < std::numeric_limits<std::uint64_t>::max(); }
};

// As TOML: "\"64MiB\"", "[\"append\"]", "true". A text may hold anything.
std::string written(const Value& value);
std::string toml_quoted(const std::string& text);

// "memory 1 MiB is out of range: 16 MiB to 4 GiB"; nothing when it is within, or of a kind that is not counted.
std::optional<std::string> range_complaint(const std::string& name, const Value& value, const Range& range);
// The range alone, in the unit of the value: "16 MiB to 4 GiB", "1000 or more".
std::string describe_range(const Value& value, const Range& range);

}  // namespace writecanary::daemon
