namespace octavo { int dummy_passes; }
