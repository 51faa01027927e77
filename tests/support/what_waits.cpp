// what-waits DIRECTORY: which system calls wait for a call to the same file that is held open in its middle.
//
// Prints one line for each call beside a buffered write, a direct write and a buffered read that are held open
// (probe/trap/held_call.h). The tables in docs/how-it-works.md come from here. Measures one kernel and one filesystem;
// it judges nothing, and is neither in bin/ nor installed.
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "probe/access/mapped_access.h"
#include "probe/trap/held_call.h"

namespace {

using namespace std::string_literals;
using writecanary::Fd;
using writecanary::probe::Contender;
using writecanary::probe::HeldOutcome;
using writecanary::probe::Mapped;
using writecanary::probe::WithheldMemory;

// Multiples of the largest folio, so that the first part of a held write is in the file.
constexpr off_t kMiddle = off_t{2} << 20;
constexpr off_t kReach = off_t{64} << 10;  // of the held call, on either side
constexpr off_t kPiece = 4096;
constexpr auto kPatience = writecanary::kHoldLimit / 2;

struct Files {
  int fd = -1, direct = -1, other = -1;
};

std::int64_t result_of(std::int64_t returned) { return returned < 0 ? -errno : returned; }

std::int64_t read_at(int fd, off_t offset) {
  alignas(kPiece) static char buffer[kPiece];
  return result_of(pread(fd, buffer, sizeof buffer, offset));
}

std::int64_t write_at(int fd, off_t offset) {
  alignas(kPiece) static char buffer[kPiece];
  return result_of(pwrite(fd, buffer, sizeof buffer, offset));
}

std::int64_t append(int fd) {
  char byte = 'a';
  const iovec from{&byte, 1};
  return result_of(pwritev2(fd, &from, 1, 0, RWF_APPEND));
}

std::int64_t ask_extents(int fd) {
  struct fiemap map {};
  map.fm_length = FIEMAP_MAX_OFFSET;
  return result_of(ioctl(fd, FS_IOC_FIEMAP, &map));
}

struct Call {
  const char* name;
  std::int64_t (*make)(const Files& files);
};
constexpr off_t kFar = kMiddle + 4 * kReach;
constexpr std::array kCalls = {
    Call{"fstat",
         [](const Files& files) -> std::int64_t {
           struct stat facts;
           return fstat(files.fd, &facts);
         }},
    Call{"pread of the first part", [](const Files& files) { return read_at(files.fd, kMiddle - kReach); }},
    Call{"pread of the end", [](const Files& files) { return read_at(files.fd, kMiddle + kReach - kPiece); }},
    Call{"pread with O_DIRECT", [](const Files& files) { return read_at(files.direct, kMiddle - kReach); }},
    Call{"load through a mapping",
         [](const Files& files) -> std::int64_t {
           std::byte byte{};
           return static_cast<std::int64_t>(Mapped(files.fd, kMiddle - kReach, kPiece).load({&byte, 1}));
         }},
    Call{"store through a mapping",
         [](const Files& files) -> std::int64_t {
           const std::byte byte{};
           return static_cast<std::int64_t>(Mapped(files.fd, kMiddle - kReach, kPiece, true).store({&byte, 1}));
         }},
    Call{"sync_file_range", [](const Files& files) { return result_of(sync_file_range(files.fd, 0, 0, 7)); }},
    Call{"fdatasync", [](const Files& files) { return result_of(fdatasync(files.fd)); }},
    Call{"fadvise DONTNEED",
         [](const Files& files) -> std::int64_t { return posix_fadvise(files.fd, 0, 0, POSIX_FADV_DONTNEED); }},
    Call{"pwrite elsewhere", [](const Files& files) { return write_at(files.fd, kFar); }},
    Call{"pwrite with O_DIRECT elsewhere", [](const Files& files) { return write_at(files.direct, kFar); }},
    Call{"append", [](const Files& files) { return append(files.fd); }},
    Call{"ftruncate", [](const Files& files) { return result_of(ftruncate(files.fd, kMiddle)); }},
    Call{"PUNCH_HOLE",
         [](const Files& files) {
           return result_of(fallocate(files.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kMiddle - kReach, kPiece));
         }},
    Call{"fallocate", [](const Files& files) { return result_of(fallocate(files.fd, 0, kFar, kPiece)); }},
    Call{"SEEK_DATA", [](const Files& files) { return result_of(lseek(files.fd, 0, SEEK_DATA)); }},
    Call{"copy_file_range",
         [](const Files& files) {
           off_t from = kMiddle - kReach;
           return result_of(copy_file_range(files.fd, &from, files.other, nullptr, kPiece, 0));
         }},
    Call{"FICLONE", [](const Files& files) { return result_of(ioctl(files.other, FICLONE, files.fd)); }},
    Call{"FIEMAP", [](const Files& files) { return ask_extents(files.fd); }},
};

enum class Held { kWrite, kDirectWrite, kRead };
struct Kind {
  const char* name;
  Held held;
};
constexpr std::array kKinds = {Kind{"a write", Held::kWrite}, Kind{"a direct write", Held::kDirectWrite},
                               Kind{"a read", Held::kRead}};

std::int64_t make_held(Held held, const Files& files, std::span<std::byte> memory) {
  const int fd = held == Held::kDirectWrite ? files.direct : files.fd;
  const off_t offset = kMiddle - kReach;
  return held == Held::kRead ? result_of(pread(fd, memory.data(), memory.size(), offset))
                             : result_of(pwrite(fd, memory.data(), memory.size(), offset));
}

// What became of the call beside: "waits", "goes on", "refused: ...".
std::string measure(const std::string& directory, WithheldMemory& memory, Held held, const Call& call) {
  const std::string path = directory + "/what-waits", copy = path + "-copy";
  const auto open = [](const std::string& name, int flags) {
    return writecanary::open_file(name, O_RDWR | flags, 0600);
  };
  const Fd fd = open(path, O_CREAT | O_TRUNC), direct = open(path, O_DIRECT), other = open(copy, O_CREAT | O_TRUNC);
  unlink(path.c_str());
  unlink(copy.c_str());
  const std::vector<std::byte> content(2 * kReach, std::byte{'w'});
  // A read, a direct write: of bytes that are there. A write: behind the end of the file.
  if (held != Held::kWrite &&
      pwrite(fd.get(), content.data(), content.size(), kMiddle - kReach) != static_cast<ssize_t>(content.size())) {
    writecanary::throw_errno("write " + path);
  }
  if (held == Held::kDirectWrite && fdatasync(fd.get()) != 0) writecanary::throw_errno("fdatasync " + path);
  const Files files{fd.get(), direct.get(), other.get()};
  const auto part = memory.fill(content, 0, kReach + kPiece);
  std::optional<Contender> contender;
  bool ended = false;
  const HeldOutcome outcome = hold(
      memory, [&] { return make_held(held, files, part); },
      [&] {
        contender.emplace([&] { return call.make(files); });
        ended = contender->ends_within(kPatience);  // it may wait for storage
      });
  const std::int64_t result = contender->result();
  if (outcome.result < 0) return "-";
  if (!outcome.held()) return "not held";
  if (result == -EOPNOTSUPP || result == -EINVAL || result == -ENOTTY) return "refused";
  return ended ? "goes on" : "waits";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: what-waits DIRECTORY\n"), 1;
  const std::string directory = argv[1];
  try {
    const auto memory =
        WithheldMemory::open(2 * kReach, [&] { return writecanary::open_file(directory, O_RDWR | O_TMPFILE, 0600); });
    if (!memory->refusal().empty()) return std::fprintf(stderr, "what-waits: %s\n", memory->refusal().c_str()), 77;
    std::printf("| beside | %s | %s | %s |\n|---|---|---|---|\n", kKinds[0].name, kKinds[1].name, kKinds[2].name);
    for (const Call& call : kCalls) {
      std::printf("| %s |", call.name);
      for (const Kind& kind : kKinds) std::printf(" %s |", measure(directory, *memory, kind.held, call).c_str());
      std::printf("\n");
    }
  } catch (const writecanary::SystemError& error) {
    return std::fprintf(stderr, "what-waits: %s\n", error.what()), 5;
  }
  return 0;
}
