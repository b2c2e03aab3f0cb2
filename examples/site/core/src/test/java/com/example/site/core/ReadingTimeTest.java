package com.example.site.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ReadingTimeTest {

    @Test
    void nothingToReadTakesNoTime() {
        assertEquals("", ReadingTime.label(null));
        assertEquals("", ReadingTime.label(" \n "));
    }

    @Test
    void aStartedMinuteCounts() {
        assertEquals("1 minute", ReadingTime.label("one"));
        assertEquals("1 minute", ReadingTime.label("word ".repeat(200)));
        assertEquals("2 minutes", ReadingTime.label("word ".repeat(201)));
    }
}
