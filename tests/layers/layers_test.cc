// Reads the #include lines of the library and holds them against the direction that the design asks for.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using Set = std::set<std::string>;

const fs::path kRoot = OCTAVO_SOURCE_DIR;
const std::string kAnything = "*";

/// Module → public headers it may include beside its own, those of core, error.h and progress.h. Downward only.
const std::map<std::string, Set> kMayUse = {
    {"parallel", {}},
    {"kernels", {}},
    {"graph", {}},
    {"data", {}},
    {"qconfig", {}},
    {"plan", {"graph", "qconfig"}},
    {"samples", {"data", "parallel"}},
    {"formats", {"graph"}},
    {"execute", {"graph", "parallel", "kernels"}},
    {"backends", {"graph", "plan", "qconfig"}},
    {"passes", {"graph", "plan", "qconfig", "backends", "execute"}},
    {"calibrate",
     {"graph", "plan", "qconfig", "backends", "data", "execute", "formats", "kernels", "parallel", "passes",
      "samples"}},
    {"verify", {"graph", "data", "execute", "kernels", "parallel", "passes", "samples"}},
    {"quantize",
     {"graph", "plan", "qconfig", "backends", "data", "execute", "formats", "kernels", "parallel", "passes", "samples",
      "calibrate", "verify"}},
    {"report", {"graph", "plan", "backends", "data", "verify", "quantize"}},
    {"cli", {kAnything}},
    {"capi", {kAnything}},
};

/// Library, by the beginning of its headers → modules that may include it.
const std::map<std::string, Set> kLibraries = {
    {"fmt/", {kAnything}},       {"onnx/", {"formats"}},
    {"google/", {"formats"}},    {"jpeglib.h", {"data"}},
    {"jerror.h", {"data"}},      {"png.h", {"data"}},
    {"hwy/", {"kernels"}},       {"dnnl", {"execute"}},
    {"omp.h", {"execute"}},      {"Eigen/", {"execute", "calibrate"}},
    {"CLI/", {"cli"}},           {"nlohmann/", {"cli", "report"}},
    {"yaml-cpp/", {"quantize"}},
};

struct Include {
  std::string header;
  bool quoted = false;
};

std::vector<Include> includes_of(const fs::path& file) {
  static const std::regex line_form(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> includes;
  std::ifstream in(file);
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (std::regex_match(line, match, line_form)) includes.push_back({match[2], match[1] == "\""});
  }
  return includes;
}

std::vector<fs::path> sources_under(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending == ".h" || ending == ".cc" || ending == ".inc") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool allowed(const Set& names, const std::string& name) { return names.contains(kAnything) || names.contains(name); }

/// Whether `module` may include the public header "octavo/…".
bool may_use(const std::string& module, const std::string& header) {
  const std::string name = header.substr(7, header.size() - 9);
  if (name.starts_with("core/") || name == "error" || name == "progress" || name == module) return true;
  const auto row = kMayUse.find(module);
  return row != kMayUse.end() && allowed(row->second, name);
}

bool may_use_library(const std::string& module, const std::string& header) {
  for (const auto& [beginning, modules] : kLibraries) {
    if (header.starts_with(beginning)) return allowed(modules, module);
  }
  return header.find('/') == std::string::npos || header.starts_with("sys/");
}

void check_source(const std::string& module, const fs::path& folder, const fs::path& file) {
  for (const Include& include : includes_of(file)) {
    INFO(fs::relative(file, kRoot).string() << " includes " << include.header);
    if (!include.quoted) {
      CHECK(may_use_library(module, include.header));
    } else if (include.header.starts_with("octavo/")) {
      CHECK(may_use(module, include.header));
    } else {
      CHECK((fs::exists(folder / include.header) || fs::exists(file.parent_path() / include.header)));
      CHECK(include.header.find("..") == std::string::npos);
    }
  }
}

/// "iostream" of <iostream>: headers of the C++ standard library have neither folder nor ending.
bool is_standard(const std::string& header) {
  return header.find('/') == std::string::npos && header.find('.') == std::string::npos && header != "iostream";
}

}  // namespace

TEST_CASE("modules include their own folder, public headers below them and their own libraries") {
  for (const auto& entry : fs::directory_iterator(kRoot / "src")) {
    if (!entry.is_directory()) continue;
    const std::string module = entry.path().filename().string();
    INFO("a new module needs its row in this test: " << module);
    CHECK(kMayUse.contains(module));
    for (const fs::path& file : sources_under(entry.path())) check_source(module, entry.path(), file);
  }
  if (fs::exists(kRoot / "capi")) {
    for (const auto& file : sources_under(kRoot / "capi")) {
      for (const Include& include : includes_of(file)) {
        INFO(fs::relative(file, kRoot).string() << " includes " << include.header);
        CHECK(include.header.find("src/") == std::string::npos);
        CHECK(include.header.find("../") == std::string::npos);
      }
    }
  }
}

TEST_CASE("public headers include the standard library and headers below them") {
  const fs::path folder = kRoot / "include";
  for (const fs::path& file : sources_under(folder)) {
    const std::string module = file.stem().string();
    const bool in_core = fs::relative(file, folder / "octavo").string().starts_with("core/");
    for (const Include& include : includes_of(file)) {
      INFO(fs::relative(file, kRoot).string() << " includes " << include.header);
      if (!include.quoted) {
        CHECK(is_standard(include.header));
      } else if (in_core) {
        CHECK(include.header.starts_with("octavo/core/"));
      } else {
        CHECK((include.header.starts_with("octavo/") && may_use(module, include.header)));
      }
    }
  }
}

TEST_CASE("public headers name no library's types and no instructions") {
  static const std::regex foreign(
      R"(\b(onnx::|google::|Eigen::|dnnl::|hwy::|nlohmann::|YAML::|fmt::|torch::|_mm\d*_|__m\d+))");
  for (const fs::path& file : sources_under(kRoot / "include")) {
    std::ifstream in(file);
    int number = 0;
    for (std::string line; std::getline(in, line);) {
      INFO(fs::relative(file, kRoot).string() << ":" << ++number << ": " << line);
      CHECK_FALSE(std::regex_search(line, foreign));
    }
  }
}

TEST_CASE("what includes may not do is noticed") {
  CHECK_FALSE(may_use("graph", "octavo/execute.h"));
  CHECK_FALSE(may_use("verify", "octavo/quantize.h"));
  CHECK(may_use("passes", "octavo/execute.h"));
  CHECK(may_use("cli", "octavo/quantize.h"));
  CHECK_FALSE(may_use_library("verify", "onnx/onnx_pb.h"));
  CHECK_FALSE(may_use_library("graph", "boost/any.hpp"));
  CHECK_FALSE(is_standard("iostream"));
  CHECK_FALSE(is_standard("immintrin.h"));
}
