/** The gym's words, learned once by every page of the gym before it shows anything. */
import en from "../i18n/gym.en.json";
import zh from "../i18n/gym.zh.json";
import { learnWords } from "../lib/i18n";

learnWords({ zh, en });
