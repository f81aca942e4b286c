"""What other software's users know, said with libepi."""
