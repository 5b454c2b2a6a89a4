#ifdef OCTAVO_WITH_ONEDNN

#include "compute/conv.h"

#include <algorithm>
#include <dnnl.hpp>
#include <mutex>
#include <new>
#include <utility>

#include "compute/onednn/one_thread.h"

namespace octavo::execute {
namespace {

using dnnl::memory;
using Dims = memory::dims;

/// Geometries for which primitives and packed weights are kept; the one longest unused goes first.
constexpr std::size_t kKeptShapes = 4;

memory::format_tag plain_tag(std::size_t rank) {
  return rank == 3 ? memory::format_tag::abc : rank == 4 ? memory::format_tag::abcd : memory::format_tag::abcde;
}

/// A convolution of one image for one geometry: primitive, reorders to and from the layouts it wants.
struct Plan {
  ConvShape shape;
  dnnl::convolution_forward convolution;
  memory::desc plain_source, source, plain_target, target, scratchpad;
  dnnl::reorder to_source, from_target;
  memory weights, bias;
  bool reorders_source = false, reorders_target = false;

  std::size_t source_bytes() const { return reorders_source ? source.get_size() : 0; }
  std::size_t target_bytes() const { return reorders_target ? target.get_size() : 0; }
};

std::size_t aligned(std::size_t bytes) {
  return (bytes + Tensor::kAlignment - 1) / Tensor::kAlignment * Tensor::kAlignment;
}

dnnl::primitive_attr make_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

class OnednnConvolution : public Convolution {
 public:
  explicit OnednnConvolution(ConvParameters parameters)
      : parameters_(std::move(parameters)), engine_(dnnl::engine::kind::cpu, 0) {}

  void run(RunContext& context, const ConvShape& shape, std::int64_t images, const float* x, float* y) const override {
    const std::shared_ptr<const Plan> plan = plan_for(shape);
    if (plan == nullptr) {
      fallback_->run(context, shape, images, x, y);
      return;
    }
    const std::size_t piece_bytes =
        aligned(plan->source_bytes()) + aligned(plan->target_bytes()) + aligned(plan->scratchpad.get_size());
    const auto workers = static_cast<std::size_t>(context.workers());
    std::byte* scratch = context.scratch<std::byte>(piece_bytes * workers).data();
    const std::int64_t x_step = parameters_.in_channels() * shape.input_size();
    const std::int64_t y_step = parameters_.out_channels() * shape.output_size();
    context.for_each_worker(static_cast<std::size_t>(images), [&](std::size_t image, int worker) {
      const auto i = static_cast<std::int64_t>(image);
      run_image(*plan, x + i * x_step, y + i * y_step, scratch + static_cast<std::size_t>(worker) * piece_bytes);
    });
  }

 private:
  Dims plain_dims(std::int64_t channels, const Dims& spatial) const {
    Dims dims{1, channels};
    dims.insert(dims.end(), spatial.begin(), spatial.end());
    return dims;
  }

  memory::desc weights_desc(memory::format_tag tag) const {
    Dims dims = parameters_.weights.shape();
    if (parameters_.groups == 1) return {dims, memory::data_type::f32, tag};
    dims[0] /= parameters_.groups;
    dims.insert(dims.begin(), parameters_.groups);
    return {dims, memory::data_type::f32, tag};
  }

  memory::format_tag plain_weights_tag() const {
    const std::size_t rank = parameters_.weights.rank();
    if (parameters_.groups == 1) return plain_tag(rank);
    return rank == 3 ? memory::format_tag::abcd : rank == 4 ? memory::format_tag::abcde : memory::format_tag::abcdef;
  }

  /// Null where oneDNN has no implementation for the geometry.
  std::shared_ptr<const Plan> plan_for(const ConvShape& shape) const {
    const std::scoped_lock lock(mutex_);
    const auto it = std::find_if(plans_.begin(), plans_.end(), [&](const auto& plan) { return plan->shape == shape; });
    if (it != plans_.end()) {
      std::rotate(plans_.begin(), it, it + 1);
      return plans_.front();
    }
    const OneThread one_thread;
    std::shared_ptr<const Plan> plan;
    try {
      plan = make_plan(shape);
    } catch (const dnnl::error& error) {
      // Another algorithm for want of memory would give other last bits.
      if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
      if (fallback_ == nullptr) fallback_ = make_im2col_convolution(parameters_);
      return nullptr;
    }
    plans_.insert(plans_.begin(), plan);
    if (plans_.size() > kKeptShapes) plans_.pop_back();
    return plan;
  }

  std::shared_ptr<const Plan> make_plan(const ConvShape& shape) const {
    Dims output, strides, dilations, pad_begin, pad_end;
    for (const Window& window : shape.windows) {
      output.push_back(window.output);
      strides.push_back(window.stride);
      dilations.push_back(window.dilation - 1);
      pad_begin.push_back(window.pad_begin);
      pad_end.push_back((window.output - 1) * window.stride + (window.kernel - 1) * window.dilation + 1 -
                        shape.input[pad_end.size()] - window.pad_begin);
    }
    auto plan = std::make_shared<Plan>();
    plan->shape = shape;
    const auto f32 = memory::data_type::f32;
    const auto any = memory::format_tag::any;
    const auto plain = plain_tag(parameters_.weights.rank());
    const Dims source_dims = plain_dims(parameters_.in_channels(), shape.input);
    const Dims target_dims = plain_dims(parameters_.out_channels(), output);
    plan->plain_source = memory::desc(source_dims, f32, plain);
    plan->plain_target = memory::desc(target_dims, f32, plain);
    const memory::desc bias = parameters_.bias.empty()
                                  ? memory::desc()
                                  : memory::desc({parameters_.out_channels()}, f32, memory::format_tag::a);
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, memory::desc(source_dims, f32, any),
        weights_desc(any), bias, memory::desc(target_dims, f32, any), strides, dilations, pad_begin, pad_end);
    const dnnl::convolution_forward::primitive_desc chosen(desc, make_attributes(), engine_);
    plan->convolution = dnnl::convolution_forward(chosen);
    plan->source = chosen.src_desc();
    plan->target = chosen.dst_desc();
    plan->scratchpad = chosen.scratchpad_desc();
    plan->reorders_source = plan->source != plan->plain_source;
    plan->reorders_target = plan->target != plan->plain_target;
    if (plan->reorders_source) plan->to_source = make_reorder(plan->plain_source, plan->source);
    if (plan->reorders_target) plan->from_target = make_reorder(plan->target, plan->plain_target);
    plan->weights = packed_weights(chosen.weights_desc());
    if (!parameters_.bias.empty()) plan->bias = memory(bias, engine_, const_cast<float*>(parameters_.bias.data()));
    return plan;
  }

  dnnl::reorder make_reorder(const memory::desc& from, const memory::desc& to) const {
    return dnnl::reorder(dnnl::reorder::primitive_desc(engine_, from, engine_, to));
  }

  memory packed_weights(const memory::desc& wanted) const {
    for (const auto& plan : plans_) {
      if (plan->weights.get_desc() == wanted) return plan->weights;
    }
    const memory::desc plain = weights_desc(plain_weights_tag());
    memory given(plain, engine_, const_cast<std::byte*>(parameters_.weights.bytes()));
    if (plain == wanted) return given;
    memory packed(wanted, engine_);
    dnnl::stream stream(engine_);
    make_reorder(plain, wanted).execute(stream, given, packed);
    stream.wait();
    return packed;
  }

  void run_image(const Plan& plan, const float* x, float* y, std::byte* scratch) const {
    const OneThread one_thread;
    dnnl::stream stream(engine_);
    std::byte* blocked_x = scratch;
    std::byte* blocked_y = blocked_x + aligned(plan.source_bytes());
    std::byte* scratchpad = blocked_y + aligned(plan.target_bytes());
    memory source(plan.plain_source, engine_, const_cast<float*>(x));
    const memory target(plan.plain_target, engine_, y);
    if (plan.reorders_source) {
      const memory wanted(plan.source, engine_, blocked_x);
      plan.to_source.execute(stream, {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, wanted}});
      source = wanted;
    }
    const memory result = plan.reorders_target ? memory(plan.target, engine_, blocked_y) : target;
    plan.convolution.execute(stream, {{DNNL_ARG_SRC, source},
                                      {DNNL_ARG_WEIGHTS, plan.weights},
                                      {DNNL_ARG_BIAS, plan.bias},
                                      {DNNL_ARG_DST, result},
                                      {DNNL_ARG_SCRATCHPAD, memory(plan.scratchpad, engine_, scratchpad)}});
    // Not oneDNN's own post-operation: with one it may choose another algorithm, whose last bits differ.
    apply(parameters_.activation,
          {static_cast<float*>(result.get_data_handle()), plan.target.get_size() / sizeof(float)});
    if (plan.reorders_target) {
      plan.from_target.execute(stream, {{DNNL_ARG_FROM, result}, {DNNL_ARG_TO, target}});
    }
    stream.wait();
  }

  const ConvParameters parameters_;
  const dnnl::engine engine_;
  // What follows is a cache: it makes a difference in time alone.
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Plan>> plans_;
  mutable std::unique_ptr<Convolution> fallback_;
};

}  // namespace

std::unique_ptr<Convolution> make_convolution(ConvParameters parameters) {
  const std::size_t rank = parameters.weights.rank();
  if (rank < 3 || rank > 5) return make_im2col_convolution(std::move(parameters));
  return std::make_unique<OnednnConvolution>(std::move(parameters));
}

}  // namespace octavo::execute

#endif
