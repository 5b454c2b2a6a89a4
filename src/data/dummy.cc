namespace octavo { int dummy_data; }
