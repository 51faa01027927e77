#include "probe/profiles/copy_after_write/copy_methods.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/retried.h"
#include "probe/profiles/copy_after_write/copy_calls.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kBufferBytes = 128UL << 10;
constexpr std::size_t kPipeBytes = 50'000;  // no multiple of a page
constexpr off_t kSmallestStep = 512;

bool refuses(int error_number) {
  constexpr std::array kRefusals = {EOPNOTSUPP, ENOSYS, EINVAL, ENOTTY, EXDEV};
  return std::ranges::find(kRefusals, error_number) != kRefusals.end();
}

int copy_where_data_is(int from, int to, std::uint64_t size) {
  for (off_t data = 0; (data = lseek(from, data, SEEK_DATA)) >= 0;) {
    const off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) throw_errno("seek the next hole of the source");
    const off_t end = std::max(hole, data + kSmallestStep);  // a hole where data begins would be met for ever
    copy_range(from, to, data, end);
    data = end;
  }
  if (errno != ENXIO) return refused_or_throw("seek the next data of the source");
  if (retried([&] { return ftruncate(to, static_cast<off_t>(size)); }) != 0) throw_errno("truncate the copy");
  return 0;
}

int copy_in_kernel(int from, int to, std::uint64_t size) {
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t copied = retried([&] { return copy_file_range(from, nullptr, to, nullptr, size - done, 0); });
    if (copied < 0 && done == 0) return refused_or_throw("copy_file_range");
    if (copied < 0) throw_errno("copy_file_range");
    if (copied == 0) break;  // it met an end that is not there: the comparison says it
    done += static_cast<std::uint64_t>(copied);
  }
  return 0;
}

int clone(int from, int to, std::uint64_t) { return ioctl(to, FICLONE, from) == 0 ? 0 : refused_or_throw("FICLONE"); }

int send(int from, int to, std::uint64_t size) {
  for (off_t done = 0; done < static_cast<off_t>(size);) {
    const ssize_t copied = retried([&] { return sendfile(to, from, &done, size - static_cast<std::uint64_t>(done)); });
    if (copied < 0 && done == 0) return refused_or_throw("sendfile");
    if (copied < 0) throw_errno("sendfile");
    if (copied == 0) break;
  }
  return 0;
}

int splice_through_pipe(int from, int to, std::uint64_t size) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
  const Fd out(ends[0]), in(ends[1]);
  for (loff_t read = 0, written = 0; written < static_cast<loff_t>(size);) {
    const std::size_t want = std::min<std::uint64_t>(kPipeBytes, size - static_cast<std::uint64_t>(read));
    const ssize_t got = retried([&] { return splice(from, &read, in.get(), nullptr, want, 0); });
    if (got < 0 && read == 0) return refused_or_throw("splice from the source");
    if (got < 0) throw_errno("splice from the source");
    if (got == 0) break;
    for (ssize_t left = got; left > 0;) {
      const ssize_t put =
          retried([&] { return splice(out.get(), nullptr, to, &written, static_cast<std::size_t>(left), 0); });
      if (put < 0 && written == 0) return refused_or_throw("splice to the copy");
      if (put <= 0) throw_errno("splice to the copy");
      left -= put;
    }
  }
  return 0;
}

}  // namespace

int refused_or_throw(const char* what) {
  if (!refuses(errno)) throw_errno(what);
  return errno;
}

void copy_range(int from, int to, off_t begin, off_t end) {
  std::vector<char> buffer(kBufferBytes);
  while (begin < end) {
    const auto want = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - begin));
    const ssize_t got = retried([&] { return pread(from, buffer.data(), want, begin); });
    if (got < 0) throw_errno("read the source");
    if (got == 0) return;  // shorter than it was: the comparison says it
    put_all(to, buffer.data(), static_cast<std::size_t>(got), begin);
    begin += got;
  }
}

void put_all(int to, const char* bytes, std::size_t length, off_t offset) {
  for (std::size_t done = 0; done < length;) {
    const ssize_t put =
        retried([&] { return pwrite(to, bytes + done, length - done, offset + static_cast<off_t>(done)); });
    if (put < 0) throw_errno("write the copy");
    done += static_cast<std::size_t>(put);
  }
}

std::span<const CopyMethod> copy_methods() {
  static constexpr std::array<CopyMethod, 11> kMethods = {{{"SEEK_DATA", copy_where_data_is},
                                                           {"copy_file_range", copy_in_kernel},
                                                           {"FICLONE", clone},
                                                           {"FICLONERANGE by pieces", clone_pieces},
                                                           {"copy_file_range by pieces", copy_pieces},
                                                           {"FIDEDUPERANGE of what differs", deduplicate_pieces},
                                                           {"sendfile", send},
                                                           {"splice", splice_through_pipe},
                                                           {"splice in parts of pages", splice_in_parts},
                                                           {"splice beside writes to the pipe", splice_and_write},
                                                           {"sendfile to a full socket", send_to_full_socket}}};
  return kMethods;
}

}  // namespace writecanary::probe
