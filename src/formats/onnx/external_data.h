#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "mapped_file.h"

namespace octavo::formats::onnx_file {

/// Bytes of a tensor in a file beside the model, kept mapped as long as `owner` lives.
struct ExternalBytes {
  std::shared_ptr<const MappedFile> owner;
  std::span<const std::byte> bytes;
};

/// The files beside a model: each mapped once, none outside the model's folder.
class ExternalData {
 public:
  /// `folder` is empty where a model may have no external data.
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The bytes that the keys location, offset and length say. `expected` bytes, where known, must be what `length`
  /// says; without `length` they, or all to the file's end, are meant. The key checksum is not looked at, as by
  /// other readers. Throws Error(bad_model) or Error(io).
  ExternalBytes find(const onnx::TensorProto& tensor, std::optional<std::uint64_t> expected);

  /// To be called before bytes found are copied: throws Error(resource_limit) where tensors that overlap would
  /// make much more memory than the files hold.
  void count_copy(std::uint64_t bytes);

 private:
  std::shared_ptr<const MappedFile> open(const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>, std::less<>> files_;
  std::uint64_t mapped_ = 0;
  std::uint64_t copied_ = 0;
};

/// Copies external bytes into the tensor, so that it can be kept as a whole.
void embed_external_data(onnx::TensorProto& tensor, ExternalData& external);

}  // namespace octavo::formats::onnx_file
