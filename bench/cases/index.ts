/** The one list of cases, in the order of the tables; the first is the headline. */
import type { Case } from "./case.ts";
import { n4N3Shrink4 } from "./n4-n3-shrink4.ts";
import { n4NiivueShrink4 } from "./n4-niivue-shrink4.ts";

export const cases: readonly Case[] = [n4NiivueShrink4, n4N3Shrink4];
