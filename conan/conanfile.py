"""Conan 2 recipe: `conan create conan` packages the library, the C library and the command.

It builds with the libraries of Debian 12 (.ci/packages.txt), which the project is tested with, not with Conan
Center's, and must find them installed.
"""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class OctavoConan(ConanFile):
    name = "octavo"
    description = "Post-training quantization of ONNX models"
    license = "Apache-2.0"
    settings = "os", "arch", "compiler", "build_type"

    @property
    def _root(self):
        return Path(self.recipe_folder).parent

    def set_version(self):
        text = load(self, self._root / "CMakeLists.txt")
        self.version = re.search(r"project\(octavo VERSION ([0-9.]+)", text).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*", "capi/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["OCTAVO_BUILD_EXAMPLES"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder) / "licenses")
        CMake(self).install()

    def package_info(self):
        # The package brings its own octavoConfig.cmake, which knows components and dependencies.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs.append("lib/cmake/octavo")
        self.cpp_info.libs = ["octavo"]
