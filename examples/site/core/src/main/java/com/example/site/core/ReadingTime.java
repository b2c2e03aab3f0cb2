package com.example.site.core;

/** How long a person needs to read a text. */
final class ReadingTime {

    private static final int WORDS_PER_MINUTE = 200;

    private ReadingTime() {}

    /** Whole minutes, rounded up; 0 for a text without words. */
    static int minutes(String text) {
        if (text == null || text.isBlank()) {
            return 0;
        }
        int words = text.trim().split("\\s+").length;
        return (words + WORDS_PER_MINUTE - 1) / WORDS_PER_MINUTE;
    }

    /** What the page shows: empty when there is nothing to read. */
    static String label(String text) {
        int minutes = minutes(text);
        if (minutes == 0) {
            return "";
        }
        return minutes == 1 ? "1 minute" : minutes + " minutes";
    }
}
