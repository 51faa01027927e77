#include "core/base/rates.h"

#include <cmath>

namespace writecanary {
namespace {

constexpr double kTail = 0.025;  // on each side
constexpr double kNormal975 = 1.959963984540054;
constexpr int kBisections = 80;
// Beyond this many findings the cube-root approximation is good to five digits and the sum is not worth its time.
constexpr std::uint64_t kExactCountMax = 1000;

// P(X <= findings) for a Poisson variable with this mean.
double at_most(std::uint64_t findings, double mean) {
  double log_term = -mean;
  double sum = std::exp(log_term);
  for (std::uint64_t i = 1; i <= findings; ++i) {
    log_term += std::log(mean / static_cast<double>(i));
    sum += std::exp(log_term);
  }
  return sum;
}

// Half the chi-squared quantile with 2n degrees of freedom, after Wilson and Hilferty.
double half_chi_squared(double n, double normal) {
  const double root = 1 - 1 / (9 * n) + normal / (3 * std::sqrt(n));
  return n * root * root * root;
}

// The mean at which P(X <= findings) has fallen to `probability`.
double mean_where(std::uint64_t findings, double probability) {
  double low = 0;
  double high = 20 + 4 * static_cast<double>(findings);
  for (int step = 0; step < kBisections; ++step) {
    const double middle = (low + high) / 2;
    (at_most(findings, middle) > probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

// The continued fraction of the incomplete beta function, evaluated by Lentz' method; converges fast for
// x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kPrecise = 1e-14;
  constexpr int kStepsMax = 100'000;  // it takes some multiple of sqrt(max(a, b))
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double numerator = 1;
  double denominator = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double value = denominator;
  for (int m = 1; m < kStepsMax; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / away_from_zero(1 + even * denominator);
    numerator = away_from_zero(1 + even / numerator);
    value *= denominator * numerator;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / away_from_zero(1 + odd * denominator);
    numerator = away_from_zero(1 + odd / numerator);
    const double change = denominator * numerator;
    value *= change;
    if (std::abs(change - 1) < kPrecise) break;
  }
  return value;
}

// The regularised incomplete beta function: P(X >= a) for a binomial variable of a + b - 1 trials.
double beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

// The x at which it reaches `probability`.
double beta_where(double a, double b, double probability) {
  double low = 0;
  double high = 1;
  for (int step = 0; step < kBisections; ++step) {
    const double middle = (low + high) / 2;
    (beta(a, b, middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::optional<RateInterval> rate_interval_95(std::uint64_t findings, std::uint64_t exposures) {
  if (exposures == 0) return std::nullopt;
  const auto count = static_cast<double>(findings);
  const auto of = static_cast<double>(exposures);
  if (findings > kExactCountMax) {
    return RateInterval{half_chi_squared(count, -kNormal975) / of, half_chi_squared(count + 1, kNormal975) / of};
  }
  const double low = findings == 0 ? 0 : mean_where(findings - 1, 1 - kTail);
  return RateInterval{low / of, mean_where(findings, kTail) / of};
}

std::optional<RateRatio> rate_ratio_95(std::uint64_t findings, std::uint64_t exposures, std::uint64_t findings_before,
                                       std::uint64_t exposures_before) {
  if (exposures == 0 || exposures_before == 0 || findings + findings_before == 0) return std::nullopt;
  const auto now = static_cast<double>(findings);
  const auto before = static_cast<double>(findings_before);
  const double scale = static_cast<double>(exposures_before) / static_cast<double>(exposures);
  const auto odds = [](double share) { return share / (1 - share); };
  RateRatio ratio;
  if (findings_before > 0) ratio.ratio = now / before * scale;
  if (findings > 0) ratio.low = odds(beta_where(now, before + 1, kTail)) * scale;
  if (findings_before > 0) ratio.high = odds(beta_where(now + 1, before, 1 - kTail)) * scale;
  return ratio;
}

}  // namespace writecanary
