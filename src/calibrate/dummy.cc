namespace octavo { int dummy_calibrate; }
