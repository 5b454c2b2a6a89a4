// Compares what run.py writes to its standard input with Octavo's results; prints what does not agree.
#include <iostream>

#include "golden/torch_cases.h"

int main() {
  constexpr int kMostPrinted = 20;
  int wrong = 0;
  octavo::golden::Checker checker([&](const std::string& what) {
    if (++wrong <= kMostPrinted) std::cout << what << '\n';
  });
  checker.read(std::cin);
  std::cout << checker.cases() << " cases, " << wrong << " disagreements, " << checker.inexact_ranges()
            << " ranges equal but for rounding\n";
  return wrong == 0 && checker.cases() > 0 ? 0 : 1;
}
