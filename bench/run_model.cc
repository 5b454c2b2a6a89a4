// octavo_run_model MODEL.onnx INPUTS.npy OUTPUT_PREFIX [BACKEND]: runs the executor, with the arithmetic of BACKEND or
// else of onnxruntime, on each row of INPUTS (the model's input with the samples along its first dimension) and writes
// output i of all samples to <OUTPUT_PREFIX><i>.npy.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "octavo/backends.h"
#include "octavo/data.h"
#include "octavo/error.h"
#include "octavo/execute.h"
#include "octavo/formats.h"
#include "octavo/parallel.h"

namespace {

using octavo::Tensor;

Tensor row(const Tensor& all, std::size_t index) {
  octavo::Shape shape = all.shape();
  shape[0] = 1;
  Tensor sample(all.dtype(), std::move(shape), true);
  std::memcpy(sample.mutable_bytes(), all.bytes() + index * sample.byte_size(), sample.byte_size());
  return sample;
}

/// Tensors of one shape, joined along a first dimension that counts them.
Tensor stack(const std::vector<std::vector<Tensor>>& results, std::size_t output) {
  const Tensor& first = results.front().at(output);
  octavo::Shape shape = first.shape();
  shape.insert(shape.begin(), static_cast<std::int64_t>(results.size()));
  Tensor all(first.dtype(), std::move(shape), true);
  std::byte* to = all.mutable_bytes();
  for (const auto& result : results) {
    if (result.at(output).shape() != first.shape()) {
      throw octavo::Error(octavo::ErrorCode::unsupported, "the shape of an output differs between samples");
    }
    std::memcpy(to, result.at(output).bytes(), first.byte_size());
    to += first.byte_size();
  }
  return all;
}

void run(const std::string& model, const std::string& inputs, const std::string& prefix, const std::string& backend) {
  const octavo::Graph graph = octavo::load_model(model);
  const octavo::Executor executor(graph, {.watched = {}, .arithmetic = octavo::backend_named(backend).arithmetic});
  const Tensor samples = octavo::read_npy(inputs);
  if (samples.rank() == 0 || samples.dim(0) == 0) {
    throw octavo::Error(octavo::ErrorCode::bad_data, inputs + " holds no samples");
  }
  octavo::ThreadPool pool(0);
  std::vector<octavo::Executor::Session> sessions;
  for (int worker = 0; worker < pool.threads(); ++worker) sessions.emplace_back(executor);
  std::vector<std::vector<Tensor>> results(static_cast<std::size_t>(samples.dim(0)));
  pool.for_each(results.size(), [&](std::size_t index, int worker) {
    const Tensor input = row(samples, index);
    results[index] = sessions[static_cast<std::size_t>(worker)].run({&input, 1});
  });
  for (std::size_t output = 0; output < graph.outputs().size(); ++output) {
    octavo::write_npy(stack(results, output), prefix + std::to_string(output) + ".npy");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: %s MODEL.onnx INPUTS.npy OUTPUT_PREFIX [BACKEND]\n", argv[0]);
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "onnxruntime");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
