namespace octavo { int dummy_formats; }
