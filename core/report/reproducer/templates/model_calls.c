/* ---- the calls that have more to them than one line ---- */

#include <liburing.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

static struct io_uring ring;

static void evict(int file)
{
	unsigned char resident[sizeof(room) / 4096];
	uint64_t size = file_size(files[file].fd), left = 1;
	struct statfs facts;
	int swaps;

	if (fdatasync(files[file].fd) || fstatfs(files[file].fd, &facts))
		could_not("fdatasync %s", files[file].name);
	swaps = facts.f_type == TMPFS_MAGIC; /* there is no other place */
	for (int i = 0; i < 3 && left; i++) {
		void *memory;

		if (posix_fadvise(files[file].fd, 0, 0, POSIX_FADV_DONTNEED))
			could_not("evict %s", files[file].name);
		left = 0;
		memory = size && size <= sizeof(room)
				 ? mmap(NULL, size, PROT_READ,
					swaps ? MAP_SHARED | MAP_POPULATE
					      : MAP_SHARED,
					files[file].fd, 0)
				 : MAP_FAILED;
		if (memory == MAP_FAILED)
			continue;
		if (swaps)
			madvise(memory, size, MADV_PAGEOUT);
		if (!mincore(memory, size, resident))
			for (uint64_t page = 0; page * page_bytes < size;
			     page++)
				left += resident[page] & 1;
		munmap(memory, size);
	}
}

static int64_t by_ring(int writes, int fd, void *bytes, uint64_t length,
		       int64_t offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe;
	int64_t result;

	if (writes)
		io_uring_prep_write(sqe, fd, bytes, length, offset);
	else
		io_uring_prep_read(sqe, fd, bytes, length, offset);
	if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe))
		could_not("io_uring");
	result = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

static void write_all(const struct operation *op, int fd, uint64_t offset,
		      uint64_t length)
{
	for (uint64_t done = 0; done < length;) {
		void *from = room + done;
		uint64_t rest = length - done;
		ssize_t got;

		if (op->by_ring)
			got = by_ring(1, fd, from, rest,
				      op->kind == APPEND
					      ? -1
					      : (int64_t)(offset + done));
		else if (op->kind == APPEND)
			got = write(fd, from, rest);
		else
			got = pwrite(fd, from, rest, offset + done);
		if (got <= 0)
			could_not("write");
		done += got;
	}
}

/* Written, write-back begun, and written again before that has ended. */
static void rewrite(const struct operation *op, unsigned number,
		    uint64_t offset, uint64_t length)
{
	int fd = files[0].fd;

	fill(room, COUNT + number, offset, length);
	write_all(op, fd, offset, length);
	if (sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE) &&
	    errno != ENOSYS)
		could_not("sync_file_range");
	fill(room, number, offset, length);
	write_all(op, fd, offset, length);
}

static int allocate(int mode, uint64_t offset, uint64_t length)
{
	return fallocate(files[0].fd, mode, offset, length);
}

static void ignore(int number)
{
	(void)number;
}

/* Over what is there, until a signal arrives: nothing may change. */
static int interrupted_allocation(uint64_t offset, uint64_t length)
{
	const struct sigaction noted = { .sa_handler = ignore };
	const struct itimerval never = { 0 };
	int failed = 0;

	sigaction(SIGALRM, &noted, NULL);
	for (int i = 0; i < 16 && !failed; i++) {
		const struct itimerval once = { { 0, 0 }, { 0, 4 << i % 8 } };

		setitimer(ITIMER_REAL, &once, NULL);
		failed = allocate(FALLOC_FL_KEEP_SIZE, offset, length);
		setitimer(ITIMER_REAL, &never, NULL);
	}
	return failed && errno != EINTR ? -1 : 0;
}

static void put_copy(uint64_t from, uint64_t to, uint64_t length)
{
	memcpy(room, files[0].bytes + from, length);
	put(0, room, to, length);
}

static int copy(uint64_t from, uint64_t to, uint64_t length)
{
	for (uint64_t done = 0; done < length;) {
		off_t in = from + done, out = to + done;
		ssize_t got = copy_file_range(files[0].fd, &in, files[0].fd,
					      &out, length - done, 0);
		if (got < 0 && done)
			could_not("copy_file_range");
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += got;
	}
	put_copy(from, to, length);
	return 0;
}

static int clone_whole(void)
{
	if (ftruncate(files[1].fd, 0) ||
	    ioctl(files[1].fd, FICLONE, files[0].fd))
		return -1;
	resize(1, 0);
	put(1, files[0].bytes, 0, files[0].size);
	return 0;
}

static int clone_range(uint64_t from, uint64_t target, uint64_t length)
{
	uint64_t to = min(target, FILE_BYTES) / block_bytes * block_bytes;
	struct file_clone_range range = { .src_fd = files[0].fd,
					  .src_offset = from,
					  .src_length = length,
					  .dest_offset = to };

	if (ioctl(files[0].fd, FICLONERANGE, &range))
		return -1;
	put_copy(from, to, length);
	return 0;
}

/* Of the file and its clone, which may differ: nothing changes. */
static int deduplicate(uint64_t offset, uint64_t length)
{
	union {
		struct file_dedupe_range range;
		char memory[sizeof(struct file_dedupe_range) +
			    sizeof(struct file_dedupe_range_info)];
	} order = { 0 };
	struct file_dedupe_range_info *info = order.range.info;

	order.range.src_offset = offset;
	order.range.src_length = length;
	order.range.dest_count = 1;
	info->dest_fd = files[1].fd;
	info->dest_offset = offset;
	if (ioctl(files[0].fd, FIDEDUPERANGE, &order))
		return -1;
	errno = info->status < 0 ? -info->status : 0;
	return errno ? -1 : 0;
}

static unsigned char *map(uint64_t offset, uint64_t length)
{
	uint64_t begin = offset / page_bytes * page_bytes;
	void *memory =
		mmap(NULL, offset + length - begin, PROT_READ | PROT_WRITE,
		     MAP_SHARED, files[0].fd, begin);

	return memory == MAP_FAILED ? NULL
				    : (unsigned char *)memory + offset - begin;
}

static void unmap(unsigned char *at, uint64_t offset, uint64_t length)
{
	munmap(at - offset % page_bytes, offset % page_bytes + length);
}

/* The last page shows zeros behind the end. */
static int mapped_read(uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;
	unsigned char *at;

	if (file_size(files[0].fd) < end)
		return 0; /* the comparison will tell */
	if (end == files[0].size && !stored_behind)
		length += (page_bytes - end % page_bytes) % page_bytes;
	at = map(offset, length);
	if (!at)
		return -1;
	compare("a mapping", 0, offset, at, length);
	unmap(at, offset, length);
	return 0;
}

static int mapped_write(uint64_t offset, uint64_t length)
{
	unsigned char *at;

	if (file_size(files[0].fd) < offset + length)
		return 0; /* the comparison will tell */
	at = map(offset, length);
	if (!at)
		return -1;
	memcpy(at, room, length);
	unmap(at, offset, length);
	put(0, room, offset, length);
	return 0;
}

/* Whether write-back leaves zeros behind the end; data=journal does not. */
static int zeroes_behind_end(void)
{
	char line[4096], device[32];
	struct statfs facts;
	struct stat status;
	FILE *mounts;
	int zeroes = 0;

	if (fstatfs(files[0].fd, &facts) || fstat(files[0].fd, &status))
		could_not("statfs");
	if (facts.f_type == BTRFS_SUPER_MAGIC ||
	    facts.f_type == XFS_SUPER_MAGIC)
		return 1;
	mounts = fopen("/proc/self/mountinfo", "r");
	snprintf(device, sizeof(device), " %u:%u ", major(status.st_dev),
		 minor(status.st_dev));
	while (mounts && !zeroes && fgets(line, sizeof(line), mounts))
		zeroes = strstr(line, device) && strstr(line, " - ext4 ") &&
			 !strstr(line, "data=journal");
	if (mounts)
		fclose(mounts);
	return zeroes;
}

static int store_behind_end(int synced, uint64_t offset, uint64_t length)
{
	unsigned char *at;

	errno = EOPNOTSUPP;
	if (synced && !zeroes_behind_end())
		return -1;
	if (file_size(files[0].fd) != offset)
		return 0; /* the comparison will tell */
	at = map(offset, length);
	if (!at)
		return -1;
	stored_behind |= !synced;
	memcpy(at, room, length);
	if (synced && fsync(files[0].fd))
		could_not("fsync");
	unmap(at, offset, length);
	return 0;
}
