namespace octavo { int dummy_execute; }
