// How the database fails: what was tried, on which file, and the way out.
#pragma once

#include <stdexcept>

namespace writecanary::storage {

struct StorageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace writecanary::storage
