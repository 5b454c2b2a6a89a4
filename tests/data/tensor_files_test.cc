#include <catch2/catch.hpp>

#include "fixtures.h"

using namespace octavo;
using namespace octavo::test;

namespace {

std::string npy_text(const std::string& header, std::size_t data_bytes, char version = 1) {
  std::string file = "\x93NUMPY";
  file += version;
  file += '\0';
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  if (version > 1) file.append(2, '\0');
  return file + header + std::string(data_bytes, '\1');
}

std::string header(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

Failure reading(const TempFolder& folder, const std::string& text) {
  const auto path = folder.write("x.npy", text);
  return failure_of([&] { read_npy(path); });
}

}  // namespace

TEST_CASE("a tensor written as .npy is read back") {
  const TempFolder folder;
  const Tensor f32 = Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, -6.5F});
  write_npy(f32, folder / "a.npy");
  const Tensor back = read_npy(folder / "a.npy");
  CHECK(back.shape() == f32.shape());
  CHECK(std::equal(back.data<float>().begin(), back.data<float>().end(), f32.data<float>().begin()));
  CHECK(bytes_of(folder / "a.npy").size() == 128 + 24);

  for (const Shape& shape : {Shape{}, Shape{4}, Shape{0, 3}, Shape{2, 1, 2}}) {
    for (const DType dtype : {DType::f64, DType::f16, DType::i8, DType::u16, DType::i64, DType::boolean}) {
      write_npy(Tensor(dtype, shape), folder / "b.npy");
      CHECK(read_npy(folder / "b.npy").shape() == shape);
      CHECK(read_npy(folder / "b.npy").dtype() == dtype);
    }
  }
  CHECK(failure_of([&] { write_npy(Tensor(DType::bf16, {1}), folder / "c.npy"); }).code == ErrorCode::unsupported);
  CHECK(failure_of([&] { write_npy(f32, folder / "no/c.npy"); }).code == ErrorCode::io);
}

TEST_CASE(".npy versions 2 and 3 are read") {
  const TempFolder folder;
  CHECK(reading(folder, npy_text(header("<f4", "(2, 1)"), 8, 2)).code == ErrorCode::ok);
  CHECK(reading(folder, npy_text(header("|u1", "(5,)"), 5, 3)).code == ErrorCode::ok);
}

TEST_CASE("broken .npy files are refused with the reason") {
  const TempFolder folder;
  CHECK(reading(folder, npy_text(header("<f4", "(2, 1)"), 7)).says("does not fit"));
  CHECK(reading(folder, npy_text(header("<f4", "(9223372036854775807, 3)"), 8)).says("does not fit"));
  CHECK(reading(folder, npy_text(header("<f4", "(4611686018427387904, 4)"), 8)).says("does not fit"));
  CHECK(reading(folder, npy_text(header("<f4", "(99999999999999999999,)"), 8)).says("shape"));
  CHECK(reading(folder, npy_text(header("<f4", "(-1,)"), 8)).says("shape"));
  CHECK(reading(folder, npy_text(header("<f4", "(1; 2)"), 8)).says("tuple"));
  CHECK(reading(folder, npy_text(header("<f4", "[1]"), 8)).says("tuple"));
  CHECK(reading(folder, npy_text(header("<f4", "(1,)", "True"), 8)).says("Fortran"));
  CHECK(reading(folder, npy_text(header(">f4", "(1,)"), 8)).says("'>f4'"));
  CHECK(reading(folder, npy_text(header("|O", "(1,)"), 8)).says("'|O'"));
  CHECK(reading(folder, npy_text("{'descr': '<f4'}", 8)).says("fortran_order"));
  CHECK(reading(folder, npy_text(header("<f4", "(1,)"), 8, 9)).says("version 9"));
  CHECK(reading(folder, "\x93NUMPY\x02").says("ends within"));
  CHECK(reading(folder, std::string("\x93NUMPY\x02\0\xFF\xFF\xFF\xFF", 12)).says("header of"));
  const std::string sound = npy_text(header("<f4", "(2, 3)"), 24);
  for (std::size_t length = 0; length < sound.size(); ++length) {
    INFO(length);
    REQUIRE(reading(folder, sound.substr(0, length)).code == ErrorCode::bad_data);
  }
}

TEST_CASE("text tensors") {
  const TempFolder folder;
  const Tensor tensor = read_text_tensor(folder.write("a.txt", "1, 2.5\n-3e2\t+4,\r\n0.1"));
  const std::vector<double> expected = {1, 2.5, -300, 4, 0.1};
  CHECK(std::equal(expected.begin(), expected.end(), tensor.data<double>().begin(), tensor.data<double>().end()));

  const auto reading_text = [&](const char* text) {
    return failure_of([&] { read_text_tensor(folder.write("b.txt", text)); });
  };
  CHECK(reading_text("1 2\n3 x4").says("line 2: 'x4' is no number"));
  CHECK(reading_text("1e999").says("is no number"));
  CHECK(reading_text("1.2.3").code == ErrorCode::bad_data);
  CHECK(reading_text(" \n, ").says("no numbers"));
}
