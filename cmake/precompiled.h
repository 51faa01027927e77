// What nearly every file reads, parsed once for all of them (cmake/Options.cmake). A file still includes what it uses:
// WRITECANARY_PCH=OFF builds without this, and clang-tidy reads the sources so.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
