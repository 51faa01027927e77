// What the ways of copying share: what a refusal is, and copying by reading and writing.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace writecanary::probe {

// What the call that just failed means: the errno with which such copies are refused. Throws SystemError for any other.
int refused_or_throw(const char* what);

// Copies these bytes of one file to the same place of the other; ends early where the source does. Throws SystemError.
void copy_range(int from, int to, off_t begin, off_t end);

// The same, all of it, of bytes in memory.
void put_all(int to, const char* bytes, std::size_t length, off_t offset);

// Through a pipe and a socket (copy_through_pipe.cpp), and by pieces into a file that holds something else
// (copy_by_pieces.cpp). As CopyMethod::copy.
int splice_in_parts(int from, int to, std::uint64_t size);
int splice_and_write(int from, int to, std::uint64_t size);
int send_to_full_socket(int from, int to, std::uint64_t size);
int copy_pieces(int from, int to, std::uint64_t size);
int clone_pieces(int from, int to, std::uint64_t size);
int deduplicate_pieces(int from, int to, std::uint64_t size);

}  // namespace writecanary::probe
