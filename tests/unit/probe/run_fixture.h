// A run in a directory of its own, as far as a part of the probe needs one: spec, workspace, and what it tells kept.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <memory>

#include "core/base/fd.h"
#include "probe/run/run_context.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {

class RunFixture : public testing::Test {
 protected:
  RunFixture() {
    spec_.path = directory_.path();
    spec_.run_id = "tested";
  }
  // What the test changes of the spec until here holds. Again: another run in the same place.
  RunContext& begin() {
    context_.reset();
    workspace_.reset();
    workspace_ = std::make_unique<Workspace>(spec_);
    workspace_->make_run_directory(spec_.run_id);
    context_ = std::make_unique<RunContext>(spec_, info_, *workspace_, pressure_, emitter_, clock_, stop_);
    return *context_;
  }
  std::uint64_t found(FindingKind kind) const { return context_->meter.tally().count_of(kind); }

  TemporaryDirectory directory_;
  RunSpec spec_;
  ProfileInfo info_;
  Fd told_{memfd_create("events", MFD_CLOEXEC)};  // the events of the run, a line each
  Emitter emitter_{told_.get()};
  Pressure pressure_{{"none", "", ""}, 0};
  SystemClock clock_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<RunContext> context_;
};

}  // namespace writecanary::probe
