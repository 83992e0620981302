/*
 * A library that storm.cc opens and closes.
 */
int plug_twice(int);

int
plug_twice(int number)
{
	return (number * 2);
}
