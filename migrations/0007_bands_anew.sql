-- Words are numbered in another way: what was numbered before is found by nothing.
DELETE FROM likeness;
