package com.example.site.it.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

class AuthorIT {

    private static final String HOME_PAGE = "/content/site/en.html";

    private final Instance author = Instance.of("author");

    @Test
    void authorsSeeTheHomePage() throws Exception {
        assertEquals(200, author.askAsAdministrator(HOME_PAGE).statusCode());
    }

    @Test
    void visitorsDoNot() throws Exception {
        assertNotEquals(200, author.askAsVisitor(HOME_PAGE).statusCode());
    }
}
