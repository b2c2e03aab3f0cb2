package com.example.site.core;

import java.text.Normalizer;
import java.util.Locale;

/** The name of a page in its URL, made from the title that an editor wrote. */
final class PageName {

    private static final int LONGEST = 60;

    private PageName() {}

    /** Lower-case ASCII letters, digits and single dashes; "page" when nothing of the title remains. */
    static String of(String title) {
        String plain = Normalizer.normalize(title == null ? "" : title, Normalizer.Form.NFD)
            .replaceAll("\\p{M}", "")
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9]+", "-");
        String name = withoutDashesAround(plain);
        if (name.length() > LONGEST) {
            name = withoutDashesAround(name.substring(0, LONGEST));
        }
        return name.isEmpty() ? "page" : name;
    }

    private static String withoutDashesAround(String text) {
        return text.replaceAll("^-+|-+$", "");
    }
}
