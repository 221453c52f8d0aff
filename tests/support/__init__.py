"""What tests share. Import it as `support`: pytest puts tests/ on the path."""
