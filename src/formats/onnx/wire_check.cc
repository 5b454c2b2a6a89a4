#include "onnx/wire_check.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "onnx/place.h"

namespace octavo::formats::onnx_file {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The largest models known have some hundred thousand nodes of about ten messages and strings each.
constexpr std::size_t kMostMessages = 10'000'000;
constexpr std::size_t kMostStrings = 30'000'000;
constexpr std::size_t kMostDepth = 100;  // protobuf's own limit
constexpr std::size_t kCountedFields = 32;

class Walker {
 public:
  explicit Walker(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void message(const Descriptor& type, std::size_t end) {
    if (path_.size() == kMostDepth) fail("messages are nested deeper than protobuf allows");
    if (++messages_ > kMostMessages) too_many("messages", kMostMessages);
    path_.emplace_back();
    while (at_ < end) field(type, end);
    path_.pop_back();
  }

 private:
  struct Level {
    const FieldDescriptor* field = nullptr;  // the one being read, with its index among those of its kind
    std::uint32_t index = 0;
    std::array<std::uint32_t, kCountedFields> seen{};
  };

  void field(const Descriptor& type, std::size_t end) {
    const std::uint64_t tag = varint(end);
    const std::uint64_t number = tag >> 3;
    Level& level = path_.back();
    level.field = nullptr;
    if (number == 0 || number > FieldDescriptor::kMaxNumber) fail("a field has no number");
    level.field = type.FindFieldByNumber(static_cast<int>(number));
    level.index = number < kCountedFields ? level.seen[number]++ : 0;
    switch (tag & 7U) {
      case 0:
        varint(end);
        return;
      case 1:
        return skip(8, end);
      case 5:
        return skip(4, end);
      case 2:
        return delimited(level.field, varint(end), end);
      default:
        fail("a field is of no kind that ONNX uses");
    }
  }

  void delimited(const FieldDescriptor* field, std::uint64_t length, std::size_t end) {
    if (length > end - at_) {
      fail(fmt::format("{} bytes are announced, but only {} are left", length, end - at_));
    }
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE) {
      return message(*field->message_type(), at_ + static_cast<std::size_t>(length));
    }
    if (++strings_ > kMostStrings) too_many("strings", kMostStrings);
    at_ += static_cast<std::size_t>(length);
  }

  void skip(std::size_t count, std::size_t end) {
    if (end - at_ < count) fail("a number is cut short");
    at_ += count;
  }

  std::uint64_t varint(std::size_t end) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ == end) fail("a number is cut short");
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      value |= shift < 64 ? (byte & 0x7fU) << shift : 0;
      if (byte < 0x80) return value;
    }
    fail("a number has more than ten bytes");
  }

  std::string place() const {
    std::string text;
    for (const Level& level : path_) {
      if (level.field == nullptr) continue;
      text += (text.empty() ? "" : ".") + level.field->name();
      if (level.field->is_repeated()) text += fmt::format("[{}]", level.index);
    }
    return text.empty() ? "" : ", in " + text;
  }

  [[noreturn]] void fail(std::string_view what) const {
    bad_model("byte {}{}: {}: the file is broken, cut short or no ONNX model", at_, place(), what);
  }

  [[noreturn]] static void too_many(std::string_view what, std::size_t most) {
    throw Error(ErrorCode::resource_limit, fmt::format("the model has more than {} {}", most, what));
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::size_t messages_ = 0;
  std::size_t strings_ = 0;
  std::vector<Level> path_;
};

}  // namespace

void check_wire(std::span<const std::byte> bytes, const Descriptor& type) { Walker(bytes).message(type, bytes.size()); }

}  // namespace octavo::formats::onnx_file
