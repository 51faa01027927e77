// Reads one TOML table key by key and remembers which keys were asked for, so that the others can be refused.
//
// Each reader leaves `out` alone when the key is absent, and adds an issue with line and column when its value has
// another type or form. What the values mean together is daemon/config/config.h.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/config_value.h"

namespace writecanary::daemon {

class TomlTable {
 public:
  // `prefix` is the dotted key of the table with a dot at its end, "" for the root. Table, positions and issues must
  // outlive this.
  TomlTable(const toml::table& table, std::string prefix, std::map<std::string, Position>& where,
            std::vector<ConfigIssue>& issues);

  void read(const char* key, Text out);
  void read(const char* key, Path out);
  void read(const char* key, Texts out);
  void read(const char* key, Flag out);
  void read(const char* key, Count out);
  void read(const char* key, Number out);
  void read(const char* key, Percent out);
  void read(const char* key, Size out);  // "64MiB" or bytes
  void read(const char* key, Duration out);
  void read(const char* key, Space out);  // "5%" or "10GiB"
  // Every key of the table with an integer as its value.
  void integers(std::map<std::string, std::int64_t>& out);

  // The table under the key; null when absent or not a table.
  const toml::table* table(const char* key);
  // The tables of an array of tables; empty when absent or something else.
  std::vector<const toml::table*> tables(const char* key);

  // Complains of every key that nobody asked for.
  void refuse_others();

 private:
  const toml::node* take(const char* key);
  void complain(const toml::node& node, const char* key, const std::string& expected);

  const toml::table& table_;
  std::string prefix_;
  std::map<std::string, Position>& where_;
  std::vector<ConfigIssue>& issues_;
  std::vector<std::string> known_;
};

// Where a piece of the text begins.
Position position_of(const toml::source_region& region);

}  // namespace writecanary::daemon
