// Instant queries to the HTTP API of a Prometheus, or of what speaks like one (Thanos, Mimir, VictoriaMetrics).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/client/http.h"

namespace writecanary::cli {

struct Sample {
  std::map<std::string, std::string> labels;
  double value = 0;
};

class Prometheus {
 public:
  // `url` may have a path (http://HOST/prometheus); a token file holds one bearer token. Throws UsageError.
  Prometheus(const std::string& url, const std::string& token_file);

  // The samples of an expression, now. A query that Prometheus cannot parse is a UsageError with its explanation; every
  // other failure is a CommandError with exit code 5.
  std::vector<Sample> query(const std::string& expression) const;

 private:
  std::string url_;
  HttpServer server_;
  std::string path_;
};

// The text as a string of PromQL, with its quotes.
std::string promql_string(const std::string& text);

}  // namespace writecanary::cli
