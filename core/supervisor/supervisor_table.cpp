#include "core/supervisor/supervisor_table.h"

namespace writecanary {
namespace {

using enum RunPhase;

constexpr RunStep kTellToStop{kStopping, kTerminate | kAwaitEnd};
constexpr RunStep kPutDown{kKilling, kKill | kAwaitDeath};

// clang-format off
constexpr std::array<std::array<RunStep, kAllRunInputs.size()>, kAllRunPhases.size()> kTable = {{
  //              kStopAsked             kKillAsked            kTimeout                kRunEnd                 kViolation            kLeaderExited       kAllGone
  /* Working  */ {{kTellToStop,           kPutDown,             kTellToStop,            {kEnding, kAwaitEnd},   kPutDown,             kPutDown,           {kGone, kReport}}},
  /* Stopping */ {{{kStopping, kNothing}, kPutDown,             kPutDown,               {kEnding, kAwaitEnd},   kPutDown,             kPutDown,           {kGone, kReport}}},
  /* Ending   */ {{{kEnding, kNothing},   kPutDown,             kPutDown,               {kEnding, kNothing},    kPutDown,             kPutDown,           {kGone, kReport}}},
  /* Killing  */ {{{kKilling, kNothing},  {kKilling, kNothing}, {kStuck, kReportStuck}, {kKilling, kNothing},   {kKilling, kNothing}, {kKilling, kKill},  {kGone, kReport}}},
  /* Stuck    */ {{{kStuck, kNothing},    {kStuck, kNothing},   {kStuck, kNothing},     {kStuck, kNothing},     {kStuck, kNothing},   {kStuck, kKill},    {kGone, kNothing}}},
  /* Gone     */ {{{kGone, kNothing},     {kGone, kNothing},    {kGone, kNothing},      {kGone, kNothing},      {kGone, kNothing},    {kGone, kNothing},  {kGone, kNothing}}},
}};
// clang-format on

}  // namespace

RunStep next_step(RunPhase phase, RunInput input) {
  return kTable[static_cast<std::size_t>(phase)][static_cast<std::size_t>(input)];
}

}  // namespace writecanary
