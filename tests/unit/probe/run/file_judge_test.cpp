// What is told of a file whose look at storage fails. /proc/version is such a file: it can be read, has a size of zero
// and cannot be written back.
#include "probe/run/file_judge.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "probe/run/content_check.h"
#include "probe/run/run_context.h"
#include "tests/unit/probe/run_fixture.h"

namespace writecanary::probe {
namespace {

class FailedLookTest : public RunFixture {
 protected:
  FailedLookTest() {
    begin();
    context_->meter.count_file();  // the first of a run is looked at in both ways
  }
  // What was told of findings, in order.
  std::vector<FindingEvent> told() const {
    std::vector<FindingEvent> events;
    LineReader lines;
    lseek(told_.get(), 0, SEEK_SET);
    lines.feed(read_to_end(told_.get(), "events"), [&](std::string_view line) {
      const Event event = writecanary::decode(line);
      if (const auto* found = std::get_if<FindingEvent>(&event)) events.push_back(*found);
    });
    return events;
  }
  // All of them at once, and then again with what was not looked at.
  void expect_told_twice() const {
    const auto events = told();
    const std::size_t found = context_->meter.tally().total();
    EXPECT_GT(found, 0U);
    ASSERT_EQ(events.size(), 2 * found);
    for (std::size_t i = 0; i < found; ++i) {
      const FindingEvent& early = events[i];
      const FindingEvent& late = events[found + i];
      EXPECT_TRUE(early.early);
      EXPECT_FALSE(late.early);
      EXPECT_EQ(early.finding.kind, late.finding.kind);
      EXPECT_EQ(late.finding.views.hot, Look::kWrong);
      EXPECT_EQ(late.finding.views.cold, Look::kNotLooked);
      EXPECT_EQ(late.finding.views.direct, Look::kNotLooked);
    }
  }

  Fd file_ = open_file("/proc/version", O_RDONLY);
};

TEST_F(FailedLookTest, AFileOfAppendsIsReportedBeforeTheErrorIs) {
  const FileLog log{"file-1", {.run = 1, .file = 1}, true, {{{.length_bytes = 4096, .result = 4096}}}};
  EXPECT_THROW(context_->file_judge.judge(file_.get(), log), SystemError);
  expect_told_twice();
}

TEST_F(FailedLookTest, AFileOfKnownContentIsReportedBeforeTheErrorIs) {
  const std::vector<std::byte> image(4096);
  EXPECT_THROW(judge_content(context_->findings, {.fd = file_.get(),
                                                  .name = "file-1",
                                                  .size_bytes = image.size(),
                                                  .expected = bytes_of(image),
                                                  .run_tag = 1,
                                                  .incompressible = true}),
               SystemError);
  EXPECT_GE(told().size(), 2U);
  EXPECT_TRUE(told().front().early);
  EXPECT_FALSE(told().back().early);
  EXPECT_NE(context_->meter.tally().total(), 0U);
}

}  // namespace
}  // namespace writecanary::probe
