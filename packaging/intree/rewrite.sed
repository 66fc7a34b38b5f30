# Paths.
s,Documentation/ABI/sysfs-block-rloop,Documentation/ABI/testing/sysfs-block-rloop,g
s,Documentation/admin-guide/rloop\.rst,Documentation/admin-guide/blockdev/rloop.rst,g
s,Documentation/inline\.rst,Documentation/block/rloop-inline.rst,g
s,Documentation/unsafe\.rst,Documentation/block/rloop-unsafe.rst,g
s,:doc:`inline`,Documentation/block/rloop-inline.rst,g
# Versions are those of the kernel.
/^MODULE_VERSION(/d
# Documents that the kernel does not get.
s,^\(are in the glossary\) of :doc:`tour`\.$,are those of blk-mq.,
/^\/\/\/ Documentation\/contributing.rst says how to add a counter\.$/d
# The package, and make in our tree.
/^The package ``rloop-dkms``/,/^$/d
s,^(``test_fs\.sh``; ``make test TIERS=stock TESTS=fs\.all`` prints it)\.,(``test_fs.sh`` of the kselftests).,
/^``make check`` lists each use of ``unsafe``/,/^$/d
# unsafe.rst has the paths of the crate.
s,^All ``unsafe`` code of rloop is in ``rust/``\, and,All ``unsafe`` code of rloop is in ``drivers/block/rloop/rust/``\, here ``rust/``\, and,
