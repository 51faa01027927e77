#include "core/base/upper_bound.h"

#include <cmath>

namespace writecanary {
namespace {

constexpr double kRemaining = 0.05;  // 1 - confidence
constexpr double kNormal95 = 1.6448536269514722;
// Beyond this many findings the cube-root approximation is good to five digits and the sum is not worth its time.
constexpr std::uint64_t kExactFindingsMax = 1000;

// P(X <= findings) for a Poisson variable with this mean.
double poisson_cdf(std::uint64_t findings, double mean) {
  double log_term = -mean;
  double sum = std::exp(log_term);
  for (std::uint64_t i = 1; i <= findings; ++i) {
    log_term += std::log(mean / static_cast<double>(i));
    sum += std::exp(log_term);
  }
  return sum;
}

// Wilson and Hilferty's approximation of half the chi-squared quantile with 2 (findings + 1) degrees of freedom.
double approximate_mean(std::uint64_t findings) {
  const double n = static_cast<double>(findings) + 1;
  const double root = 1 - 1 / (9 * n) + kNormal95 / (3 * std::sqrt(n));
  return n * root * root * root;
}

// The same on the other side, with 2 findings degrees of freedom.
double approximate_smallest_mean(std::uint64_t findings) {
  const double n = static_cast<double>(findings);
  const double root = 1 - 1 / (9 * n) - kNormal95 / (3 * std::sqrt(n));
  return n * root * root * root;
}

// The mean at which seeing so few findings has become as unlikely as kRemaining.
double largest_mean(std::uint64_t findings) {
  if (findings == 0) return -std::log(kRemaining);
  if (findings > kExactFindingsMax) return approximate_mean(findings);
  double low = static_cast<double>(findings);
  double high = approximate_mean(findings) * 2;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (poisson_cdf(findings, middle) > kRemaining ? low : high) = middle;
  }
  return high;
}

// The mean at which seeing so many findings has become as unlikely as kRemaining.
double smallest_mean(std::uint64_t findings) {
  if (findings == 0) return 0;
  if (findings > kExactFindingsMax) return approximate_smallest_mean(findings);
  double low = 0;
  double high = static_cast<double>(findings);
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (1 - poisson_cdf(findings - 1, middle) > kRemaining ? high : low) = middle;
  }
  return low;
}

}  // namespace

std::optional<double> rate_upper_bound_95(std::uint64_t findings, std::uint64_t exposures) {
  if (exposures == 0) return std::nullopt;
  return largest_mean(findings) / static_cast<double>(exposures);
}

std::optional<double> rate_lower_bound_95(std::uint64_t findings, std::uint64_t exposures) {
  if (exposures == 0) return std::nullopt;
  return smallest_mean(findings) / static_cast<double>(exposures);
}

}  // namespace writecanary
