#include <octavo/core/rounding.h>

int main() { return octavo::round_half_even(2.5F) == 2.0F ? 0 : 1; }
