/** The one list of cases, in the order of the tables; the first is the headline. */
import type { Case } from "./case.ts";
import { n4Cases } from "./n4.ts";
import { normalisationCases } from "./normalise.ts";

export const cases: readonly Case[] = [...n4Cases, ...normalisationCases];
