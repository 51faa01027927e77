#include "probe/evidence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.h"
#include "core/fd.h"

namespace writecanary::probe {
namespace {

nlohmann::json log_document(const FileLog& log) {
  return {{"file", log.name},
          {"run_tag", log.tag.run},
          {"file_tag", log.tag.file},
          {"incompressible", log.incompressible},
          {"writers", log.writers}};
}

std::uint64_t copy_file(int from, const std::string& to, std::uint64_t bytes_max) {
  const Fd out = open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<char> buffer(256UL * 1024);
  std::uint64_t copied = 0;
  while (copied < bytes_max) {
    const std::size_t want = std::min<std::uint64_t>(buffer.size(), bytes_max - copied);
    const ssize_t got = pread(from, buffer.data(), want, static_cast<off_t>(copied));
    if (got < 0) throw_errno("read the damaged file");
    if (got == 0) break;
    write_all(out.get(), {buffer.data(), static_cast<std::size_t>(got)});
    copied += static_cast<std::uint64_t>(got);
  }
  return copied;
}

}  // namespace

std::uint64_t keep_file(int fd, const FileLog& log, const std::string& directory, std::uint64_t bytes_max) {
  try {
    std::filesystem::create_directories(directory);
    const std::string path = directory + "/" + log.name;
    const std::string document = log_document(log).dump(1) + "\n";
    write_all(open_file(path + ".writes.json", O_WRONLY | O_CREAT | O_TRUNC, 0600).get(), document);
    return document.size() + copy_file(fd, path, bytes_max);
  } catch (const std::exception& error) {
    fmt::print(stderr, "writecanary-probe: evidence of {} is not kept: {}\n", log.name, error.what());
    return 0;
  }
}

}  // namespace writecanary::probe
