package com.example.site.core;

import java.io.IOException;
import javax.servlet.Servlet;
import org.apache.sling.api.SlingHttpServletRequest;
import org.apache.sling.api.SlingHttpServletResponse;
import org.apache.sling.api.resource.ValueMap;
import org.apache.sling.api.servlets.SlingSafeMethodsServlet;
import org.osgi.service.component.annotations.Component;

/** Answers {@code <page>/jcr:content.info.txt} with the page's name and reading time. */
@Component(
    service = Servlet.class,
    property = {
        "sling.servlet.resourceTypes=site/components/page",
        "sling.servlet.selectors=info",
        "sling.servlet.extensions=txt"
    })
public class PageInfoServlet extends SlingSafeMethodsServlet {

    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(SlingHttpServletRequest request, SlingHttpServletResponse response) throws IOException {
        ValueMap properties = request.getResource().getValueMap();
        response.setContentType("text/plain");
        response.setCharacterEncoding("UTF-8");
        response.getWriter().write(PageName.of(properties.get("jcr:title", "")) + " "
            + ReadingTime.label(properties.get("jcr:description", "")));
    }
}
