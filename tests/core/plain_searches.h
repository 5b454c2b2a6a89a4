#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace octavo {

// The searches written out as their tools describe them, in double and bin by bin: what the fast ones must agree with.

/// The lowest of `divergences` within rounding of the least.
inline std::size_t lowest_of_least(const std::vector<double>& divergences) {
  const double least = *std::min_element(divergences.begin(), divergences.end());
  const auto found = std::find_if(divergences.begin(), divergences.end(),
                                  [&](double divergence) { return divergence <= least + 1e-12; });
  return static_cast<std::size_t>(found - divergences.begin());
}

/// TensorRT: the tail joins the last bin kept; steps of whole bins, spread over the non-empty ones; both normalized.
inline double plain_kl(const std::vector<double>& counts, std::size_t levels, std::size_t keep) {
  std::vector<double> p(counts.begin(), counts.begin() + static_cast<long>(keep));
  std::vector<double> q(keep, 0.0);
  for (std::size_t i = keep; i < counts.size(); ++i) p[keep - 1] += counts[i];
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t begin = level * keep / levels;
    const std::size_t end = (level + 1) * keep / levels;
    double mass = 0.0;
    double used = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      mass += counts[i];
      used += counts[i] != 0.0 ? 1.0 : 0.0;
    }
    for (std::size_t i = begin; i < end; ++i) q[i] = counts[i] != 0.0 ? mass / used : 0.0;
  }
  double p_sum = 0.0;
  double q_sum = 0.0;
  for (std::size_t i = 0; i < keep; ++i) {
    p_sum += p[i];
    q_sum += q[i];
  }
  double divergence = 0.0;
  for (std::size_t i = 0; i < keep; ++i) {
    if (p[i] == 0.0) continue;
    if (q[i] == 0.0) return std::numeric_limits<double>::infinity();
    divergence += p[i] / p_sum * std::log((p[i] / p_sum) / (q[i] / q_sum));
  }
  return divergence;
}

inline std::size_t plain_kl_bins(const std::vector<double>& counts, std::size_t levels) {
  std::vector<double> divergences;
  for (std::size_t keep = levels; keep <= counts.size(); ++keep) divergences.push_back(plain_kl(counts, levels, keep));
  if (*std::min_element(divergences.begin(), divergences.end()) == std::numeric_limits<double>::infinity()) {
    return counts.size();
  }
  return levels + lowest_of_least(divergences);
}

/// The counts of `levels` steps of keep / levels bins each, spread evenly again over the bins that `used` says.
inline std::vector<double> spread_steps(const std::vector<double>& p, std::size_t levels, std::size_t keep,
                                        bool used_only) {
  std::vector<double> spread(keep, 0.0);
  const double width = static_cast<double>(keep) / static_cast<double>(levels);
  for (std::size_t level = 0; level < levels; ++level) {
    const double begin = static_cast<double>(level) * width;
    const double end = begin + width;
    // The part of bin i that lies in the step.
    const auto part = [&](std::size_t i) {
      return std::min(end, static_cast<double>(i) + 1.0) - std::max(begin, static_cast<double>(i));
    };
    const auto first = static_cast<std::size_t>(begin);
    double mass = 0.0;
    double bins = 0.0;
    for (std::size_t i = first; i < keep && static_cast<double>(i) < end; ++i) {
      mass += part(i) * p[i];
      if (!used_only || p[i] != 0.0) bins += part(i);
    }
    for (std::size_t i = first; i < keep && static_cast<double>(i) < end; ++i) {
      if (bins > 0.0 && (!used_only || p[i] != 0.0)) spread[i] += mass / bins * part(i);
    }
  }
  return spread;
}

/// TNN's CalculateScalePerDis: every bin begins at 1e-7; a bin where the spread one is empty adds 1.
inline std::size_t plain_tnn_bins(const std::vector<double>& counts, std::size_t levels) {
  std::vector<double> p = counts;
  double sum = 0.0;
  for (double& n : p) sum += n += 1e-7;
  for (double& n : p) n /= sum;
  std::vector<double> divergences;
  for (std::size_t keep = levels; keep < p.size(); ++keep) {
    std::vector<double> clipped(p.begin(), p.begin() + static_cast<long>(keep));
    for (std::size_t i = keep; i < p.size(); ++i) clipped[keep - 1] += p[i];
    const std::vector<double> spread = spread_steps(p, levels, keep, true);
    double divergence = 0.0;
    for (std::size_t i = 0; i < keep; ++i) {
      if (clipped[i] != 0.0) divergence += spread[i] == 0.0 ? 1.0 : clipped[i] * std::log(clipped[i] / spread[i]);
    }
    divergences.push_back(divergence);
  }
  return levels + lowest_of_least(divergences);
}

/// ncnn2table's quantize_KL: both distributions begin at 1e-4, nothing is normalized again.
inline std::size_t plain_ncnn_bins(const std::vector<double>& counts, std::size_t levels) {
  std::vector<double> p = counts;
  double sum = 0.0;
  for (const double n : p) sum += n;
  for (double& n : p) n /= sum;
  std::vector<double> divergences;
  for (std::size_t keep = levels; keep < p.size(); ++keep) {
    const std::vector<double> spread = spread_steps(p, levels, keep, false);
    double divergence = 0.0;
    for (std::size_t i = 0; i < keep; ++i) {
      double clipped = p[i] + 1e-4;
      for (std::size_t beyond = keep; i + 1 == keep && beyond < p.size(); ++beyond) clipped += p[beyond];
      divergence += clipped * std::log(clipped / (spread[i] + 1e-4));
    }
    divergences.push_back(divergence);
  }
  return levels + lowest_of_least(divergences);
}

/// ONNX Runtime's smooth_distribution; empty where nothing is left.
inline std::vector<double> smoothed(std::vector<double> p) {
  const auto zeros = static_cast<double>(std::count(p.begin(), p.end(), 0.0));
  const double used = static_cast<double>(p.size()) - zeros;
  if (used == 0.0) return {};
  for (double& n : p) n = n == 0.0 ? 1e-4 : n - 1e-4 * zeros / used;
  return p;
}

/// ONNX Runtime's get_entropy_threshold: how many bins either side of the middle are kept.
inline std::size_t plain_entropy_half_bins(const std::vector<std::uint64_t>& counts, std::size_t levels) {
  const std::size_t half = counts.size() / 2;
  std::vector<double> divergences;
  for (std::size_t i = levels / 2; i <= half; ++i) {
    const std::size_t start = half - i;
    const std::size_t stop = std::min(half + i + 1, counts.size());
    std::vector<std::uint64_t> sliced(counts.begin() + static_cast<long>(start),
                                      counts.begin() + static_cast<long>(stop));
    std::vector<double> p(sliced.begin(), sliced.end());
    for (std::size_t j = 0; j < start; ++j) p.front() += static_cast<double>(counts[j]);
    for (std::size_t j = stop; j < counts.size(); ++j) p.back() += static_cast<double>(counts[j]);
    std::vector<double> q(p.size(), 0.0);
    const std::size_t merged = sliced.size() / levels;
    for (std::size_t level = 0; level < levels; ++level) {
      const std::size_t begin = level * merged;
      const std::size_t end = begin + merged;
      std::uint64_t sum = 0;
      std::uint64_t used = 0;
      for (std::size_t j = begin; j < (level + 1 == levels ? sliced.size() : end); ++j) sum += sliced[j];
      for (std::size_t j = begin; j < end; ++j) used += p[j] != 0.0 ? 1 : 0;
      for (std::size_t j = begin; j < end && used != 0; ++j) q[j] = static_cast<double>(sum / used);
    }
    const std::vector<double> ps = smoothed(p);
    const std::vector<double> qs = smoothed(q);
    double divergence = qs.empty() ? std::numeric_limits<double>::infinity() : 0.0;
    double p_sum = 0.0;
    double q_sum = 0.0;
    for (const double n : ps) p_sum += n;
    for (const double n : qs) q_sum += n;
    for (std::size_t j = 0; j < qs.size(); ++j) divergence += ps[j] / p_sum * std::log(ps[j] / p_sum / (qs[j] / q_sum));
    divergences.push_back(divergence);
  }
  // Where all are infinite ONNX Runtime takes the smallest; we clip nothing.
  if (*std::min_element(divergences.begin(), divergences.end()) == std::numeric_limits<double>::infinity()) return half;
  return levels / 2 + lowest_of_least(divergences);
}

}  // namespace octavo
