// A service that writes to a file through io_uring, for tests of who does so:
//   uring-writer append|offset|registered FILE
// One write of 4 KiB for each line that comes on stdin, answered by a line on stdout, until stdin ends. "append" opens
// with O_APPEND, "offset" writes at its own offsets, "registered" appends to a file that it has registered and closed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char* what) {
  perror(what);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int appends = strcmp(argv[1], "offset") != 0;
  const int registered = strcmp(argv[1], "registered") == 0;
  struct io_uring ring;
  if (io_uring_queue_init(4, &ring, 0) < 0) return fail("io_uring_queue_init");
  int fd = open(argv[2], O_WRONLY | O_CREAT | (appends ? O_APPEND : 0), 0644);
  if (fd < 0) return fail(argv[2]);
  if (registered) {
    if (io_uring_register_files(&ring, &fd, 1) < 0) return fail("io_uring_register_files");
    close(fd);
    fd = 0;
  }
  puts("ready");
  fflush(stdout);
  char line[64], bytes[4096];
  memset(bytes, 'x', sizeof bytes);
  for (unsigned long long offset = 0; fgets(line, sizeof line, stdin); offset += sizeof bytes) {
    struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    struct io_uring_cqe* cqe;
    io_uring_prep_write(sqe, fd, bytes, sizeof bytes, appends ? 0 : offset);
    if (registered) sqe->flags |= IOSQE_FIXED_FILE;
    if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe) < 0) return fail("io_uring");
    printf("%d\n", cqe->res);
    fflush(stdout);
    io_uring_cqe_seen(&ring, cqe);
  }
  return 0;
}
