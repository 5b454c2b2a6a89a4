#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "octavo/core/qparams.h"
#include "octavo/core/tensor.h"

namespace octavo {

class TensorStatistics;
class UniformQuantizationObserverBase;

/// What one tensor of one picture contributes to an observer. Its content is the observer's own affair.
struct Summary {
  Summary() = default;
  Summary(const Summary&) = delete;
  Summary& operator=(const Summary&) = delete;
  virtual ~Summary() = default;
};

/// The interface of every observer (PyTorch's ObserverBase): collects statistics of a tensor over many pictures and
/// computes quantization parameters from them.
///
/// Observers are a monoid: `summarize` is pure and may run on any thread, `fold` is cheap and happens in
/// picture order, `merge` joins the state of a later shard. Whatever the number of threads or shards, the
/// state after the last picture is the same to the bit.
class ObserverBase {
 public:
  ObserverBase() = default;
  ObserverBase(const ObserverBase&) = delete;
  ObserverBase& operator=(const ObserverBase&) = delete;
  virtual ~ObserverBase() = default;

  /// Reads `x` (f32); thread-safe. NaN is ignored; an infinity counts as the largest finite float.
  virtual std::unique_ptr<Summary> summarize(const TensorView& x) const = 0;

  /// Adds a summary that this kind of observer made.
  virtual void fold(const Summary& summary) = 0;

  /// Adds the state of `later`, an observer of the same kind and options that saw the pictures after ours. Only where
  /// `mergeable`.
  virtual void merge(const ObserverBase& later) = 0;

  /// False where the state after all pictures cannot be had from two states (PyTorch's HistogramObserver): such an
  /// observer must see every picture itself, in order.
  virtual bool mergeable() const { return true; }

  /// Parameters for the statistics so far under `scheme`. Scales are finite and above zero for any
  /// statistics, none at all included; see qparams_from_ranges. An observer per tensor ignores
  /// the scheme's axis; one per channel joins its channels where the scheme is per tensor or
  /// where it saw nothing.
  virtual QParams compute_qparams(const QScheme& scheme) const = 0;

  /// This observer, where its parameters follow from ranges alone; otherwise null.
  virtual const UniformQuantizationObserverBase* uniform() const { return nullptr; }

  /// False for observers that have no parameters to give (Placeholder, Noop, Recording, ReuseInput): theirs are
  /// empty, and a value they watch stays float or takes another's.
  virtual bool has_qparams() const { return true; }

  /// Takes the state that it would have after the pictures that `statistics` saw, one entry for the whole tensor or
  /// one for each channel; false, and unchanged, where statistics do not hold what this observer needs.
  virtual bool restore(std::span<const TensorStatistics> statistics) {
    (void)statistics;
    return false;
  }

  /// Appends the state as little-endian bytes; `load` takes exactly these and returns false, leaving the
  /// state as it was, for anything else.
  virtual void save(std::vector<std::byte>& out) const = 0;
  virtual bool load(std::span<const std::byte> bytes) = 0;
};

}  // namespace octavo
