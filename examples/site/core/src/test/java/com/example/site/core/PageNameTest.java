package com.example.site.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PageNameTest {

    @Test
    void accentsAndPunctuationGo() {
        assertEquals("cafe-zurich-2026", PageName.of("  Café Zürich: 2026! "));
    }

    @Test
    void thereIsAlwaysAName() {
        assertEquals("page", PageName.of(null));
        assertEquals("page", PageName.of("???"));
    }

    @Test
    void longTitlesAreCutWithoutATrailingDash() {
        String name = PageName.of("abcdefghi ".repeat(10));
        assertTrue(name.length() <= 60);
        assertFalse(name.endsWith("-"));
    }
}
