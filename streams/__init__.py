"""What is made of usage: the Faust app, the meter, the minute windows."""
