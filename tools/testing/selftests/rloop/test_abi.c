// SPDX-License-Identifier: GPL-2.0
/* linux/rloop.h says the same as linux/loop.h. */
#include "kselftest_harness.h"
#include "abi_table.h"

TEST(numbers_and_layouts_are_those_of_loop_h)
{
	int i;

	for (i = 0; abi_loop[i].name; i++) {
		ASSERT_STREQ(abi_loop[i].name, abi_rloop[i].name);
		EXPECT_EQ(abi_loop[i].value, abi_rloop[i].value)
			TH_LOG("%s", abi_loop[i].name);
	}
}

TEST_HARNESS_MAIN
