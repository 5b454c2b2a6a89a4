#include <catch2/catch.hpp>
#include <thread>

#include "fixtures.h"

using namespace octavo;
using namespace octavo::test;

namespace {

void copy_golden(const TempFolder& folder, const std::string& name, const std::string& as) {
  std::filesystem::copy_file(golden("decode/" + name), folder / as);
}

InputData input_data(Shape dims, std::vector<std::filesystem::path> paths, DType dtype = DType::f32) {
  return {{"x", dtype, std::move(dims)}, std::move(paths), {}};
}

std::filesystem::path write_rows(const TempFolder& folder, const std::string& name, Shape shape) {
  Tensor tensor(DType::u8, std::move(shape));
  const auto values = tensor.mutable_data<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i);
  write_npy(tensor, folder / name);
  return folder / name;
}

}  // namespace

TEST_CASE("a folder gives its data files in byte order of their names") {
  const TempFolder folder;
  copy_golden(folder, "rgb8.png", "b.PNG");
  copy_golden(folder, "420.jpg", "Z.JPEG");
  copy_golden(folder, "rgb24.bmp", "a.bmp");
  folder.write("README.md", "no data");
  folder.write(".hidden.png", "no data");
  std::filesystem::create_directory(folder / "inside");
  DataReport report;
  const auto source = open_data({input_data({1, 3, 8, 8}, {folder.path()})}, {}, &report);
  REQUIRE(source->size() == 3);
  CHECK(source->name(0) == (folder / "Z.JPEG").string());
  CHECK(source->name(1) == (folder / "a.bmp").string());
  CHECK(source->name(2) == (folder / "b.PNG").string());
  REQUIRE(source->load(1).size() == 1);
  CHECK(source->load(1)[0].shape() == Shape{1, 3, 8, 8});
  REQUIRE(report.notes.size() == 3);
  CHECK(report.notes[0].find("2 files of other kinds") != std::string::npos);
  CHECK(report.notes[1].find("1 folders inside") != std::string::npos);
  CHECK(report.notes[2].find("resize to 8x8") != std::string::npos);
}

TEST_CASE("bad files are listed together, or left out") {
  const TempFolder folder;
  copy_golden(folder, "rgb8.png", "a.png");
  folder.write("b.png", "no picture");
  folder.write("c.npy", "no tensor");
  folder.write("d.txt", "");
  const std::vector<InputData> inputs = {input_data({1, 3, 8, 8}, {folder.path()})};
  const Failure failure = failure_of([&] { open_data(inputs, {}); });
  CHECK(failure.code == ErrorCode::bad_data);
  CHECK(failure.says("3 of 4"));
  for (const char* name : {"b.png", "c.npy", "d.txt"}) CHECK(failure.says((folder / name).string()));
  DataReport report;
  const auto source = open_data(inputs, {true}, &report);
  CHECK(source->size() == 1);
  CHECK(report.bad_files.size() == 3);

  std::filesystem::remove(folder / "a.png");
  CHECK(failure_of([&] { open_data(inputs, {true}); }).says("no sample can be read"));
}

TEST_CASE("what shows on decoding comes from load as bad_data") {
  const TempFolder folder;
  std::vector<std::uint8_t> bytes = bytes_of(golden("decode/420.jpg"));
  bytes.resize(bytes.size() / 2);
  folder.write("a.jpg", bytes);
  folder.write("b.txt", "1 2 3");
  copy_golden(folder, "420.jpg", "c.jpg");
  const auto source = open_data({input_data({1, 3, 8, 8}, {folder.path()})}, {});
  REQUIRE(source->size() == 3);
  for (const std::size_t i : {0U, 1U}) {
    const Failure failure = failure_of([&] { source->load(i); });
    CHECK(failure.code == ErrorCode::bad_data);
    CHECK(failure.says(source->name(i)));
  }
  std::filesystem::remove(folder / "c.jpg");
  CHECK(failure_of([&] { source->load(2); }).code == ErrorCode::bad_data);
}

TEST_CASE("what cannot be opened at all") {
  const TempFolder folder;
  CHECK(failure_of([&] { open_data({input_data({1, 3, 8, 8}, {folder.path()})}, {}); }).says("no data in this folder"));
  CHECK(failure_of([&] { open_data({input_data({1}, {folder / "no"})}, {}); }).code == ErrorCode::io);
  CHECK(failure_of([&] { open_data({input_data({1}, {folder.write("a.gif", "x")})}, {}); }).says("ending"));
  CHECK(failure_of([&] { open_data({input_data({1}, {})}, {}); }).code == ErrorCode::bad_data);
  CHECK(failure_of([&] { open_data({}, {}); }).code == ErrorCode::invalid_argument);
}

TEST_CASE("an .npy gives one sample, or one a row") {
  const TempFolder folder;
  struct Case {
    Shape file;
    Shape input;
    std::size_t samples;
    Shape sample;
  };
  const std::vector<Case> cases = {
      {{1, 2, 3}, {1, 2, 3}, 1, {1, 2, 3}},
      {{5, 2, 3}, {1, 2, 3}, 5, {1, 2, 3}},
      {{2, 3}, {1, 2, 3}, 1, {1, 2, 3}},
      {{5, 2, 3}, {-1, 2, 3}, 5, {1, 2, 3}},
      {{5, 1, 2, 3}, {1, 2, 3}, 5, {1, 2, 3}},
      {{5, 7}, {-1, -1}, 5, {1, 7}},
      {{7}, {-1, -1}, 1, {1, 7}},
      {{4, 3}, {4, 3}, 1, {4, 3}},
      {{5, 4, 3}, {4, 3}, 5, {4, 3}},
      {{5, 6}, {1, 1, 2, 3}, 5, {1, 1, 2, 3}},
      {{5, 2, 3}, {1, 1, 2, 3}, 5, {1, 1, 2, 3}},
      {{6}, {1, 2, 3}, 1, {1, 2, 3}},
      {{}, {}, 1, {}},
      {{9}, {}, 9, {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("case " << i);
    const auto path = write_rows(folder, "x.npy", cases[i].file);
    const auto source = open_data({input_data(cases[i].input, {path})}, {});
    REQUIRE(source->size() == cases[i].samples);
    const Tensor last = source->load(source->size() - 1)[0];
    CHECK(last.shape() == cases[i].sample);
    CHECK(last.dtype() == DType::f32);
    // Elements count up through the file, so the last sample's last one is the file's.
    CHECK(last.data<float>().back() == static_cast<float>(element_count(cases[i].file) - 1));
    const bool rows = source->name(0) == path.string() + "[0]";
    CHECK(rows == (cases[i].file != Shape{} && cases[i].samples > 1));
  }
  for (const auto& [file, input] : {std::pair(Shape{2, 8, 8, 3}, Shape{1, 3, 8, 8}), {{4}, {1, 3}}, {{0, 3}, {1, 3}}}) {
    const auto path = write_rows(folder, "x.npy", file);
    CHECK(failure_of([&, wanted = input] { open_data({input_data(wanted, {path})}, {}); }).code == ErrorCode::bad_data);
  }
}

TEST_CASE("elements are converted to the input's type or refused") {
  const TempFolder folder;
  write_npy(Tensor::from<double>({2}, {1.5, 3e9}), folder / "x.npy");
  const auto load = [&](DType dtype) {
    return open_data({input_data({2}, {folder / "x.npy"}, dtype)}, {})->load(0)[0];
  };
  CHECK(load(DType::f32).data<float>()[1] == 3e9F);
  CHECK(failure_of([&] { load(DType::i64); }).says("element 0 is 1.5, which i64 cannot hold"));
  write_npy(Tensor::from<double>({2}, {-7, 3e9}), folder / "x.npy");
  CHECK(load(DType::i64).data<std::int64_t>()[1] == 3000000000);
  CHECK(failure_of([&] { load(DType::i32); }).says("which i32 cannot hold"));
  CHECK(failure_of([&] { load(DType::f16); }).says("cannot be converted"));
  write_npy(Tensor::from<std::int32_t>({2}, {0, -1}), folder / "x.npy");
  CHECK(load(DType::i64).data<std::int64_t>()[1] == -1);
  CHECK(failure_of([&] { load(DType::u8); }).code == ErrorCode::bad_data);
  CHECK(failure_of([&] { load(DType::boolean); }).code == ErrorCode::bad_data);
}

TEST_CASE("a text tensor takes the input's shape") {
  const TempFolder folder;
  folder.write("a.txt", "1 2 3 4 5 6");
  const auto load = [&](Shape dims) {
    return open_data({input_data(std::move(dims), {folder.path()})}, {})->load(0)[0];
  };
  CHECK(load({1, 2, 3}).shape() == Shape{1, 2, 3});
  CHECK(load({-1, 6}).shape() == Shape{1, 6});
  CHECK(load({-1, -1, 2}).shape() == Shape{1, 3, 2});
  CHECK(failure_of([&] { load({1, 5}); }).says("6 numbers do not fit input 'x' [1,5]"));
}

TEST_CASE("several inputs are paired by order, and lose bad samples together") {
  const TempFolder first;
  const TempFolder second;
  for (const char* name : {"a.txt", "b.txt", "c.txt"}) {
    first.write(name, std::string(1, name[0] == 'a' ? '1' : name[0] == 'b' ? '2' : '3'));
    second.write(name, name[0] == 'b' ? "" : name[0] == 'a' ? "10" : "30");
  }
  const std::vector<InputData> inputs = {input_data({1}, {first.path()}), input_data({1}, {second.path()})};
  CHECK(failure_of([&] { open_data(inputs, {}); }).says("1 of 3"));
  const auto source = open_data(inputs, {true});
  REQUIRE(source->size() == 2);
  CHECK(source->load(1)[0].data<float>()[0] == 3.0F);
  CHECK(source->load(1)[1].data<float>()[0] == 30.0F);
  std::filesystem::remove(first / "c.txt");
  CHECK(failure_of([&] { open_data(inputs, {true}); }).says("paired by order"));
}

TEST_CASE("samples load the same from several threads at once") {
  const TempFolder folder;
  for (int i = 0; i < 8; ++i) copy_golden(folder, i % 2 == 0 ? "420.jpg" : "rgb8.png", std::to_string(i) + ".jpg");
  const auto source = open_data({input_data({1, 3, 8, 8}, {folder.path()})}, {});
  std::vector<Tensor> loaded(source->size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < loaded.size(); ++i) threads.emplace_back([&, i] { loaded[i] = source->load(i)[0]; });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 2; i < loaded.size(); ++i) {
    const auto a = loaded[i].data<float>();
    CHECK(std::equal(a.begin(), a.end(), loaded[i % 2].data<float>().begin()));
  }
}
