/* ---- what should be in the file and its clone, in memory ---- */

#include <sys/statvfs.h>

#define PAGE_BYTES_MAX 65536

/* A file and what should be in it; [1] is the clone. Behind the end: zeros. */
static struct {
	char name[32];
	int fd;
	uint64_t size;
	unsigned char bytes[2 * FILE_BYTES + PAGE_BYTES_MAX];
} files[2];

static uint64_t direct_alignment, block_bytes, page_bytes;
static int stored_behind; /* then a mapping may show more than zeros there */
static unsigned char room[4 * FILE_BYTES + PAGE_BYTES_MAX]
	__attribute__((aligned(PAGE_BYTES_MAX)));

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

static void look_up_sizes(void)
{
	struct statvfs facts;
	int fd = open(files[0].name, O_RDWR | O_DIRECT);
#ifdef STATX_DIOALIGN
	struct statx more;
#endif

	page_bytes = sysconf(_SC_PAGESIZE);
	if (fstatvfs(files[0].fd, &facts))
		could_not("statvfs");
	block_bytes = max(facts.f_bsize, page_bytes);
	block_bytes = min(block_bytes, max(64ull << 10, page_bytes));
	direct_alignment = fd < 0 ? 1 : 4096;
#ifdef STATX_DIOALIGN
	if (fd >= 0 && !statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &more) &&
	    more.stx_mask & STATX_DIOALIGN && more.stx_dio_offset_align)
		direct_alignment =
			max(more.stx_dio_offset_align, more.stx_dio_mem_align);
#endif
	if (fd >= 0)
		close(fd);
}

/* Each byte tells its operation and its place. */
static void fill(unsigned char *bytes, unsigned number, uint64_t offset,
		 uint64_t length)
{
	for (uint64_t i = 0; i < length; i++) {
		uint64_t at = offset + i;
		uint64_t word =
			0xa5ull << 56 | (uint64_t)(number + 1) << 32 | at / 8;

		bytes[i] = word >> at % 8 * 8;
	}
}

/* Whole blocks: taken out, put in, or shared with others. */
static uint64_t reach_blocks(const struct operation *op, uint64_t *offset)
{
	uint64_t block = block_bytes, size = files[0].size, to;
	uint64_t whole = (op->length + block - 1) / block * block;

	*offset = op->offset / block * block;
	if (op->kind == COLLAPSE)
		return *offset + whole < size ? whole : 0;
	if (op->kind == INSERT)
		return *offset < size && size + whole <= FILE_BYTES ? whole : 0;
	if (op->kind == DEDUPLICATE)
		size = min(size, files[1].size);
	size = size / block * block;
	if (*offset >= size)
		return 0;
	whole = min(whole, size - *offset);
	if (op->kind == DEDUPLICATE)
		return whole;
	to = min(op->target, FILE_BYTES) / block * block;
	whole = min(whole, max(*offset, to) - min(*offset, to));
	return min(whole, (FILE_BYTES - to) / block * block);
}

static uint64_t reach_directly(const struct operation *op, uint64_t *offset)
{
	uint64_t unit = direct_alignment, size = files[0].size;
	uint64_t whole = (op->length + unit - 1) / unit * unit;
	uint64_t end = FILE_BYTES / unit * unit;

	*offset = op->offset / unit * unit;
	if (op->kind == DIRECT_READ)
		end = (size + unit - 1) / unit * unit;
	if (op->kind == DIRECT_AT_ONCE)
		whole = min(whole, PARTS_MAX * unit);
	return *offset < end ? min(whole, end - *offset) : 0;
}

/* The part of an operation that means something as the file is now. */
static uint64_t reach(const struct operation *op, uint64_t *offset)
{
	uint64_t size = files[op->kind == WRITE_TO_CLONE].size;
	uint64_t end = size;

	*offset = op->kind == APPEND ? size : op->offset;
	switch (op->kind) {
	case TRUNCATE:
	case FSYNC:
	case EVICT:
	case CLONE:
		return 0; /* of the whole file */
	case INTERRUPTED_ALLOCATION:
		*offset = 0;
		return size;
	case WRITE:
	case REWRITE:
	case STOPPED_WRITE:
	case APPEND:
	case ALLOCATE:
	case ZERO_RANGE:
	case PUNCH:
		end = FILE_BYTES;
		break;
	case WRITE_TO_CLONE:
		end = size ? FILE_BYTES : 0; /* there is none yet */
		break;
	case COPY:
		if (op->target >= FILE_BYTES || *offset >= size)
			return 0;
		end = min(size - *offset, FILE_BYTES - op->target);
		end = min(end,
			  max(op->target, *offset) - min(op->target, *offset));
		return min(op->length, end);
	case DIRECT_WRITE:
	case DIRECT_AT_ONCE:
	case DIRECT_READ:
		return reach_directly(op, offset);
	case COLLAPSE:
	case INSERT:
	case CLONE_RANGE:
	case DEDUPLICATE:
		return reach_blocks(op, offset);
	case STORE_BEHIND_END:
	case STORE_BEHIND_END_FSYNC:
		*offset = size;
		return (page_bytes - size % page_bytes) % page_bytes;
	case READ:
	case MAPPED_READ:
	case MAPPED_WRITE:
	case MAPPED_REWRITE:
	case UNSHARE:
		break;
	}
	return *offset < end ? min(op->length, end - *offset) : 0;
}

static void put(int file, const unsigned char *bytes, uint64_t offset,
		uint64_t length)
{
	if (bytes)
		memcpy(files[file].bytes + offset, bytes, length);
	else
		memset(files[file].bytes + offset, 0, length);
	files[file].size = max(files[file].size, offset + length);
}

/* A size that the model takes over; what is new is zeros. */
static void resize(int file, uint64_t size)
{
	if (size < files[file].size)
		memset(files[file].bytes + size, 0, files[file].size - size);
	files[file].size = size;
}

/* Moves what follows, as fallocate(2) does. */
static void shift(int inserts, uint64_t offset, uint64_t length)
{
	unsigned char *bytes = files[0].bytes;
	uint64_t size = files[0].size;

	if (inserts) {
		memmove(bytes + offset + length, bytes + offset, size - offset);
		memset(bytes + offset, 0, length);
		files[0].size = size + length;
	} else {
		memmove(bytes + offset, bytes + offset + length,
			size - offset - length);
		resize(0, size - length);
	}
}

__attribute__((noreturn, format(printf, 1, 2))) static void
differs(const char *format, ...)
{
	char first[512], second[256];
	va_list list;

	va_start(list, format);
	vsnprintf(first, sizeof(first), format, list);
	va_end(list);
	snprintf(second, sizeof(second), "%zu operations on one file", COUNT);
	say(SEEN, first, second);
}

/* Behind the end there is nothing; a mapping shows zeros. */
static void compare(const char *how, int file, uint64_t offset,
		    const unsigned char *found, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		if (found[i] != files[file].bytes[offset + i])
			differs("%s of %s: byte %llu is 0x%02x and should be "
				"0x%02x, the file ends at %llu",
				how, files[file].name,
				(unsigned long long)(offset + i), found[i],
				files[file].bytes[offset + i],
				(unsigned long long)files[file].size);
}

/* What a read from there on returned. */
static void compare_read(const char *how, uint64_t offset, uint64_t length)
{
	uint64_t left = files[0].size - offset;

	compare(how, 0, offset, room, min(length, left));
	if (length > left)
		differs("%s of %s: %llu bytes behind its end at %llu", how,
			files[0].name, (unsigned long long)(length - left),
			(unsigned long long)files[0].size);
}

static void compare_whole(const char *how, int file)
{
	uint64_t size = file_size(files[file].fd);
	ssize_t got = pread(files[file].fd, room, sizeof(room), 0);

	if (got < 0)
		could_not("read %s", files[file].name);
	compare(how, file, 0, room, min((uint64_t)got, files[file].size));
	if (size != files[file].size || (uint64_t)got != size)
		differs("%s of %s: its size is %llu, %zd bytes can be read, "
			"and both should be %llu",
			how, files[file].name, (unsigned long long)size, got,
			(unsigned long long)files[file].size);
}
