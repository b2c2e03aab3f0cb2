package com.example.site.it.tests;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;

/** An instance of the environment under test, as Cloud Manager's system properties describe it. */
final class Instance {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final String url;
    private final String account;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(LIMIT).build();

    private Instance(String url, String account) {
        this.url = url;
        this.account = account;
    }

    /** The first instance of a run mode, {@code author} or {@code publish}. */
    static Instance of(String runMode) {
        for (int n = 1; n <= Integer.getInteger("sling.it.instances", 0); n++) {
            if (runMode.equals(property("runmode", n))) {
                return new Instance(property("url", n), property("adminUser", n) + ":" + property("adminPassword", n));
            }
        }
        throw new IllegalStateException("there is no instance with the run mode " + runMode);
    }

    private static String property(String name, int n) {
        return System.getProperty("sling.it.instance." + name + "." + n);
    }

    HttpResponse<String> askAsVisitor(String path) throws IOException, InterruptedException {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> askAsAdministrator(String path) throws IOException, InterruptedException {
        String credentials = Base64.getEncoder().encodeToString(account.getBytes(StandardCharsets.UTF_8));
        HttpRequest question = request(path).header("Authorization", "Basic " + credentials).build();
        return client.send(question, HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url).resolve(path)).timeout(LIMIT);
    }
}
