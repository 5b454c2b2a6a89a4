#include "octavo/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "octavo/error.h"

namespace octavo {
namespace {

int resolve(int threads) {
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int outer_threads(const SampleOptions& options, std::size_t samples) {
  const int threads = resolve(options.threads);
  return samples >= static_cast<std::size_t>(threads) ? threads : 1;
}

/// What is wrong with a sample, where `work` on it throws bad_data.
template <typename Work>
std::optional<std::string> reason_against(const Work& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_data) throw;
    return error.what();
  }
}

constexpr std::size_t kMostListed = 20;

/// One such number would spoil every range it reaches.
void require_finite(const std::vector<Tensor>& inputs, const std::string& name) {
  for (const Tensor& input : inputs) {
    if (input.dtype() != DType::f32) continue;
    const auto values = input.data<float>();
    const auto found = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (found == values.end()) continue;
    throw Error(ErrorCode::bad_data,
                fmt::format("{}: element {} is {} after preprocessing; only finite numbers can be used", name,
                            found - values.begin(), *found));
  }
}

[[noreturn]] void throw_bad_files(const std::vector<std::string>& bad, std::size_t all, bool skipped) {
  std::string message = fmt::format("{} of {} samples cannot be read:", bad.size(), all);
  for (std::size_t i = 0; i < bad.size() && i < kMostListed; ++i) message += fmt::format("\n  {}", bad[i]);
  if (bad.size() > kMostListed) message += fmt::format("\n  … and {} more", bad.size() - kMostListed);
  message += skipped ? "\nNo sample is left." : "\nRemove them, or skip them with --skip-bad-images.";
  throw Error(ErrorCode::bad_data, message);
}

}  // namespace

SampleRunner::SampleRunner(const DataSource& data, std::vector<std::size_t> indices, SampleOptions options)
    : data_(data),
      indices_(std::move(indices)),
      options_(std::move(options)),
      outer_(outer_threads(options_, indices_.size())),
      inner_(outer_.threads() == 1 ? resolve(options_.threads) : 1) {}

std::vector<std::string> SampleRunner::run(
    const std::function<void(std::span<const Tensor>, int, std::size_t)>& produce,
    const std::function<void(std::size_t)>& consume) {
  const auto total = static_cast<std::int64_t>(indices_.size());
  const auto report = [&](std::int64_t done) {
    if (options_.progress && !options_.progress({options_.stage, done, total})) {
      throw Error(ErrorCode::cancelled,
                  fmt::format("{}: cancelled after {} of {} samples", options_.stage, done, total));
    }
  };
  if (indices_.empty()) throw Error(ErrorCode::bad_data, fmt::format("{}: there are no samples", options_.stage));
  std::vector<std::optional<std::string>> reasons(slots());  // why the sample in a slot could not be used
  std::vector<std::string> bad;
  // Once the run is lost, the remaining samples are only loaded, so that all bad ones can be listed.
  std::atomic<bool> lost = false;
  report(0);
  outer_.ordered(
      indices_.size(),
      [&](std::size_t position, int worker) {
        const std::size_t index = indices_[position];
        std::optional<std::string>& reason = reasons[slot(position)];
        std::vector<Tensor> inputs;
        reason = reason_against([&] {
          inputs = data_.load(index);
          require_finite(inputs, data_.name(index));
        });
        if (!reason && !lost) {
          reason = reason_against([&] { produce(inputs, worker, position); });
          // The loader names the file; who computes with its tensors does not know it.
          if (reason) reason = fmt::format("{}: {}", data_.name(index), *reason);
        }
        if (reason && !options_.skip_bad_files) lost = true;
      },
      [&](std::size_t position) {
        if (const auto& reason = reasons[slot(position)]; reason) {
          bad.push_back(*reason);
          if (options_.skipped) options_.skipped(position, *reason);
        } else if (!lost) {
          consume(position);
        }
        report(static_cast<std::int64_t>(position) + 1);
      });
  const bool none_left = bad.size() == indices_.size() && !options_.may_skip_all;
  if (!bad.empty() && (!options_.skip_bad_files || none_left)) {
    if (indices_.size() < data_.size()) list_others(bad);
    throw_bad_files(bad, data_.size(), options_.skip_bad_files);
  }
  return bad;
}

/// Whoever mends his files wants to know of all of them at once, those of no interest to this run included.
void SampleRunner::list_others(std::vector<std::string>& bad) const {
  for (std::size_t i = 0; i < data_.size(); ++i) {
    if (std::binary_search(indices_.begin(), indices_.end(), i)) continue;
    if (auto reason = reason_against([&] { data_.load(i); })) bad.push_back(*std::move(reason));
  }
}

std::vector<std::size_t> spread_indices(std::size_t size, std::size_t most) {
  const std::size_t count = most == 0 ? size : std::min(size, most);
  std::vector<std::size_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = i * size / count;
  return indices;
}

}  // namespace octavo
