#include "probe/profiles/ring_io/ring_case.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

constexpr std::array kMemories = {RingMemory::kPlain, RingMemory::kVector, RingMemory::kFixed};
constexpr std::array kPlaces = {RingPlace::kExplicit, RingPlace::kPosition, RingPlace::kEnd, RingPlace::kAppendFlag};
constexpr std::array kFlags = {RingFlag::kNone, RingFlag::kDsync, RingFlag::kDontCache};
constexpr std::uint64_t kWorkerEvery = 6;

std::vector<RingCase> product(std::uint64_t seed, const std::vector<RingSetup>& setups,
                              std::span<const RingPlace> places, std::span<const RingFlag> flags) {
  std::vector<RingCase> cases;
  for (const RingSetup setup : setups) {
    for (const RingMemory memory : kMemories) {
      for (const RingPlace place : places) {
        for (const RingFlag flag : flags) {
          for (const bool registered : {false, true}) cases.push_back({setup, memory, place, flag, registered, false});
        }
      }
    }
  }
  for (std::size_t i = cases.size(); i > 1; --i) std::swap(cases[i - 1], cases[derive_seed(seed, i) % i]);
  return cases;
}

std::string_view name_of(RingPlace place) {
  switch (place) {
    case RingPlace::kPosition:
      return " at the current position";
    case RingPlace::kEnd:
      return " with O_APPEND";
    case RingPlace::kAppendFlag:
      return " with RWF_APPEND";
    default:
      return " at an offset";
  }
}

}  // namespace

std::string to_string(const RingCase& one, bool writes) {
  std::string text = writes ? "WRITE" : "READ";
  if (one.memory == RingMemory::kVector) text += "V";
  if (one.memory == RingMemory::kFixed) text += "_FIXED";
  text += name_of(one.place);
  if (one.flag == RingFlag::kDsync) text += ", RWF_DSYNC";
  if (one.flag == RingFlag::kDontCache) text += ", RWF_DONTCACHE";
  if (one.registered_file) text += ", registered file";
  if (one.worker) text += ", IOSQE_ASYNC";
  if (one.setup != RingSetup::kPlain) text += ", " + to_string(one.setup);
  return text;
}

std::vector<RingCase> write_cases(std::uint64_t seed, const std::vector<RingSetup>& setups) {
  std::vector<RingCase> cases = product(seed, setups, kPlaces, kFlags);
  std::vector<RingCase> all;
  for (const RingCase& one : cases) {
    all.push_back(one);
    if (all.size() % kWorkerEvery != 0) continue;
    all.push_back(cases[derive_seed(seed, cases.size() + all.size()) % cases.size()]);
    all.back().worker = true;
  }
  return all;
}

std::vector<RingCase> read_cases(std::uint64_t seed, const std::vector<RingSetup>& setups) {
  constexpr std::array kReadPlaces = {RingPlace::kExplicit, RingPlace::kPosition};
  constexpr std::array kNoFlags = {RingFlag::kNone};
  return product(seed, setups, kReadPlaces, kNoFlags);
}

}  // namespace writecanary::probe
