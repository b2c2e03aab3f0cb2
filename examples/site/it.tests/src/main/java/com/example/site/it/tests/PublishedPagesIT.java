package com.example.site.it.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

class PublishedPagesIT {

    private final Instance publish = Instance.of("publish");

    @Test
    void visitorsReadTheHomePage() throws Exception {
        HttpResponse<String> page = publish.askAsVisitor("/content/site/en.html");
        assertEquals(200, page.statusCode());
        assertTrue(page.body().contains("<h1>Welcome</h1>"), page.body());
    }

    @Test
    void whatDoesNotExistIsNotFound() throws Exception {
        assertEquals(404, publish.askAsVisitor("/content/site/en/nothing.html").statusCode());
    }
}
